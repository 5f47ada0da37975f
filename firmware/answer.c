/* Writes answers. */
#include "answer.h"
#include "build.h"
#include "crc.h"
#include "function.h"
#include "machine.h"
#include "uart.h"

static uint16_t crc;

static void put(uint8_t byte)
{
    crc = crc_byte(crc, byte);
    uart_put(byte);
}

static void put_text(const char *text) /* in flash */
{
    uint8_t byte;
    while ((byte = pgm_read_byte(text++)) != 0)
        put(byte);
}

static uint8_t put_number(uint32_t number, bool send)
{
    char digits[10];
    uint8_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (uint8_t i = count; send && i > 0; i--)
        put((uint8_t)digits[i - 1]);
    return count;
}

static void put_error(error_t error)
{
    if (error < 0)
        put('-');
    put_number((uint32_t)(error < 0 ? -(int32_t)error : error), true);
}

static void put_block(const uint8_t *bytes, uint16_t length)
{
    put('#');
    put((uint8_t)('0' + put_number(length, false)));
    put_number(length, true);
    while (length-- > 0)
        put(*bytes++);
}

#define STRING_(x) #x
#define STRING(x) STRING_(x)

static void put_capabilities(void)
{
    put_text(PSTR("NUM Q" STRING(Q_FRACTION) ";CELLS " STRING(CELLS) ";CODE " STRING(CODE) ";BLOCK " STRING(BLOCK) ";RANGE " RANGE ";FUNC "));
    for (uint8_t f = 0; f < function_count; f++) {
        function_t function = function_of(f);
        if (f > 0)
            put(',');
        put_text(function.id);
        for (uint8_t i = 0; i < 4; i++) {
            put(' ');
            put_number(function.widths[i], true);
        }
    }
    put_text(PSTR(";OPS COPY,SUM,NEURON,LINEAR,READ,ABSORB;MODES 1;CHECK 1"));
}

static void put_body(const answer_t *answer)
{
    switch (answer->kind) {
    case SILENCE:
        break;
    case IDENTITY:
        put_text(PSTR("isoform,reference board " NAME ",0,1"));
        break;
    case VERSION:
    case DONE:
        put('1');
        break;
    case ERROR_TAKEN:
        put_error(answer->taken);
        put_text(PSTR(",\""));
        put_text(errors_text(answer->taken));
        put('"');
        break;
    case CAPABILITIES:
        put_capabilities();
        break;
    case RAN:
        put_number(answer->ticks, true);
        put(',');
        put_number(answer->clipped, true);
        put(',');
        put_block(answer->payload, answer->length);
        break;
    case NUMBERS:
        put_block(answer->payload, answer->length);
        break;
    }
}

void answer_plain(const answer_t *answer)
{
    put_body(answer);
    uart_put('\n');
}

void answer_checked(const answer_t *answer, uint16_t number)
{
    static const char hexadecimal[16] PROGMEM = "0123456789ABCDEF";
    crc = CRC_NONE;
    put_number(number, true);
    put(' ');
    put_error(answer->error);
    if (answer->kind != SILENCE) {
        put(' ');
        put_body(answer);
    }
    uint16_t sum = crc;
    put('*');
    for (uint8_t i = 0; i < 4; i++, sum <<= 4)
        uart_put(pgm_read_byte(&hexadecimal[sum >> 12]));
    uart_put('\n');
}
