/* Commands: what they ask for is checked whole before anything changes. */
#include "scpi.h"
#include "answer.h"
#include "errors.h"
#include "machine.h"
#include <string.h>

uint16_t scpi_kept = BUFFER;

static bool checked;
static bool any_before;        /* whether there was a checked message */
static uint16_t number_before; /* and which */
static answer_t answer;

/* The arguments that are still to be read. */
typedef struct {
    const message_t *message;
    const uint8_t *at, *end;
} arguments_t;

static void skip_spaces(arguments_t *a)
{
    while (a->at < a->end && (*a->at == ' ' || *a->at == '\t'))
        a->at++;
}

/* Reads a number; all but the last argument are followed by a comma. */
static error_t number(arguments_t *a, bool last, uint32_t *value)
{
    error_t error = OK;
    skip_spaces(a);
    if (a->at < a->end && *a->at == '-') {
        a->at++;
        error = OUT_OF_RANGE;
    }
    if (a->at == a->end || *a->at < '0' || *a->at > '9')
        return INCOMPLETE;
    *value = 0;
    for (; a->at < a->end && *a->at >= '0' && *a->at <= '9'; a->at++) {
        uint8_t digit = *a->at - '0';
        if (*value > (UINT32_MAX - digit) / 10)
            error = OUT_OF_RANGE;
        *value = *value * 10 + digit;
    }
    skip_spaces(a);
    if (last)
        return a->at == a->end && !a->message->has_block ? error : INCOMPLETE;
    if (a->at == a->end || *a->at++ != ',')
        return INCOMPLETE;
    return error;
}

/* Wants the block, of whole items. */
static error_t block(arguments_t *a, uint8_t item)
{
    skip_spaces(a);
    if (!a->message->has_block)
        return a->at == a->end ? INCOMPLETE : NO_BLOCK;
    if (a->at != a->end || a->message->broken_block || a->message->block_length % item != 0)
        return NO_BLOCK;
    return OK;
}

static error_t identify(arguments_t *a)
{
    (void)a;
    answer.kind = IDENTITY;
    return OK;
}

static error_t reset(arguments_t *a)
{
    (void)a;
    machine_clear();
    return OK;
}

static error_t clear(arguments_t *a)
{
    (void)a;
    errors_clear();
    return OK;
}

static error_t all_done(arguments_t *a)
{
    (void)a;
    answer.kind = DONE;
    return OK;
}

static error_t take_error(arguments_t *a)
{
    (void)a;
    answer.kind = ERROR_TAKEN;
    answer.taken = errors_take();
    return OK;
}

static error_t version(arguments_t *a)
{
    (void)a;
    answer.kind = VERSION;
    return OK;
}

static error_t capabilities(arguments_t *a)
{
    (void)a;
    answer.kind = CAPABILITIES;
    return OK;
}

static error_t check_on(arguments_t *a)
{
    (void)a;
    if (!checked)
        any_before = false;
    checked = true;
    return OK;
}

static error_t check_off(arguments_t *a)
{
    (void)a;
    checked = false;
    return OK;
}

static error_t load(arguments_t *a)
{
    error_t error = block(a, 2);
    return error ? error : machine_load(a->message->block, a->message->block_length / 2);
}

static error_t write_memory(arguments_t *a)
{
    uint32_t first;
    error_t error = number(a, false, &first);
    if (!error)
        error = block(a, 4);
    if (error)
        return error;
    if (first > CELLS || a->message->block_length / 4 > CELLS - first)
        return OUT_OF_RANGE;
    memcpy(machine_memory + first, a->message->block, a->message->block_length);
    return OK;
}

static error_t read_memory(arguments_t *a)
{
    uint32_t first, count;
    error_t error = number(a, false, &first), second;
    if (error == INCOMPLETE)
        return error;
    second = number(a, true, &count);
    if (error || second)
        return second == INCOMPLETE ? second : OUT_OF_RANGE;
    if (first > CELLS || count > CELLS - first)
        return OUT_OF_RANGE;
    if (count > BLOCK / 4)
        return OUT_OF_MEMORY;
    /* the memory changes only with the next message that is done, so that a repeat reads the same */
    answer.kind = NUMBERS;
    answer.payload = (const uint8_t *)(machine_memory + first);
    answer.length = (uint16_t)(count * 4);
    return OK;
}

static error_t run(arguments_t *a)
{
    uint32_t ticks, mode, rows, in, out;
    error_t error = number(a, false, &ticks);
    if (!error)
        error = number(a, false, &mode);
    if (!error)
        error = block(a, 4);
    if (error)
        return error;
    if (ticks > RUN_MOST_TICKS || mode > 7 || (mode & (RUN_BITS | RUN_COUNTS)) == (RUN_BITS | RUN_COUNTS))
        return OUT_OF_RANGE;
    rows = mode & RUN_HELD ? 1 : ticks;
    in = (uint32_t)machine_inputs() * 4;
    if (in > 0 ? rows > BLOCK / in || a->message->block_length != rows * in : a->message->block_length != 0)
        return OUT_OF_RANGE;
    out = mode & RUN_BITS ? (machine_outputs() + 7u) / 8 : (uint32_t)machine_outputs() * 4;
    rows = mode & RUN_COUNTS ? 1 : ticks;
    in = a->message->block_length;
    if (out > 0 && rows > (BLOCK - in) / out)
        return OUT_OF_MEMORY;
    out *= rows;
    /* the answer grows at the end of the buffer, where the repeat of this message will not reach */
    uint8_t *to = message_buffer + BUFFER - out;
    if (to < a->message->block + in)
        return OUT_OF_MEMORY;
    if (out > 0)
        scpi_kept = BUFFER - (uint16_t)out;
    answer.kind = RAN;
    answer.ticks = ticks;
    answer.clipped = machine_run(ticks, (uint8_t)mode, a->message->block, to);
    answer.payload = to;
    answer.length = (uint16_t)out;
    return OK;
}

typedef struct {
    char name[14];
    uint8_t arguments; /* whether it has any */
    error_t (*act)(arguments_t *);
} command_t;

static const command_t commands[] PROGMEM = {
    {"*IDN?", 0, identify},
    {"*RST", 0, reset},
    {"*CLS", 0, clear},
    {"*OPC?", 0, all_done},
    {"SYST:ERR?", 0, take_error},
    {"SYST:VERS?", 0, version},
    {"SYST:CAP?", 0, capabilities},
    {"FORM:CHEC ON", 0, check_on},
    {"FORM:CHEC OFF", 0, check_off},
    {"PROG:DATA", 1, load},
    {"MEM:DATA", 1, write_memory},
    {"MEM:DATA?", 1, read_memory},
    {"RUN?", 1, run},
};

static uint8_t upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? c - 32 : c;
}

/* Reads the words of a command; a gap may be any number of spaces. */
static bool is_named(const char *name, arguments_t *a)
{
    for (; *name != 0; name++) {
        if (*name == ' ') {
            if (a->at == a->end || (*a->at != ' ' && *a->at != '\t'))
                return false;
            skip_spaces(a);
        } else if (a->at == a->end || upper(*a->at++) != (uint8_t)*name) {
            return false;
        }
    }
    return true;
}

static error_t act(const message_t *message)
{
    if (message->too_long)
        return TOO_LONG;
    for (uint8_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command_t command;
        arguments_t a = {message, message->text, message->text + message->length};
        memcpy_P(&command, &commands[i], sizeof command);
        skip_spaces(&a);
        if (!is_named(command.name, &a))
            continue;
        if (!command.arguments) {
            skip_spaces(&a);
            if (a.at == a.end && !message->has_block)
                return command.act(&a);
        } else if (a.at == a.end || *a.at == ' ' || *a.at == '\t') {
            return command.act(&a);
        }
    }
    return UNKNOWN;
}

bool scpi_checked(void)
{
    return checked;
}

bool scpi_is_repeat(uint16_t number)
{
    return any_before && number == number_before;
}

void scpi_do(const message_t *message, uint16_t number)
{
    bool was_checked = checked;
    memset(&answer, 0, sizeof answer);
    scpi_kept = BUFFER;
    answer.error = act(message);
    if (answer.error)
        answer.kind = SILENCE;
    if (was_checked) {
        any_before = true;
        number_before = number;
        answer_checked(&answer, number);
        return;
    }
    scpi_kept = BUFFER;
    if (answer.error)
        errors_add(answer.error);
    else if (answer.kind != SILENCE)
        answer_plain(&answer);
}

void scpi_repeat(void)
{
    answer_checked(&answer, number_before);
}

void scpi_forget(void)
{
    scpi_kept = BUFFER;
    answer = (answer_t){.error = OUT_OF_MEMORY};
}

void scpi_stopped(void)
{
    if (!checked)
        errors_add(INCOMPLETE);
}
