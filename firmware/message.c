/*
 * Assembles messages.
 *
 * Where a message ends cannot be seen without its block, since a block may hold every byte; so the bytes are followed through the form of
 * a block as they come. The sum of a checked message is computed on the way: it can then be checked even where the bytes were not kept,
 * because the message is too long or a repeat.
 */
#include "message.h"
#include "crc.h"
#include "scpi.h"
#include "uart.h"
#include <string.h>

typedef enum { NUMBER, WORDS, HASH, LENGTH, BYTES, AFTER } place_t;

uint8_t message_buffer[BUFFER];

static struct {
    place_t place;
    bool begun, carriage_return, has_block, broken_block, too_long, numbered, repeat;
    uint16_t at;      /* bytes kept so far */
    uint16_t words;   /* where the words start: after the number of a checked message */
    uint16_t end;     /* where the words end */
    uint16_t block;   /* where the block starts */
    uint32_t length;  /* of the block */
    uint32_t left;    /* of the block or of its digits */
    uint32_t number;  /* of a checked message */
    uint16_t crc, crc_at_star, sum;
    uint16_t star;    /* where the last `*` outside the block stands */
    uint8_t digits;   /* hexadecimal ones after that; 255 if there were others or no `*` */
} m;

static void start(void)
{
    memset(&m, 0, sizeof m);
    m.crc = CRC_NONE;
    m.digits = 255;
    m.place = scpi_checked() ? NUMBER : WORDS;
}

static inline void keep(uint8_t byte)
{
    m.crc = crc_byte(m.crc, byte);
    if (m.repeat)
        return;
    if (m.at >= scpi_kept)
        scpi_forget();
    if (m.at < BUFFER)
        message_buffer[m.at++] = byte;
    else
        m.too_long = true;
}

/*
 * The bytes of a block that have come, as fast as they can be taken: at 1 Mbaud another comes every 160 clocks, and the interrupt takes
 * half of them.
 */
static void take_bytes(void)
{
    uint16_t crc = m.crc, most = m.left < UINT16_MAX ? (uint16_t)m.left : UINT16_MAX, left;
    uint8_t byte;
    if (m.at == BUFFER && !m.repeat)
        m.too_long = true;
    if (m.repeat || m.at == BUFFER) {
        for (left = most; left > 0 && uart_take(&byte); left--)
            crc = crc_byte(crc, byte);
    } else {
        uint8_t *to = message_buffer + m.at;
        uint16_t room = (m.at < scpi_kept ? scpi_kept : BUFFER) - m.at;
        if (most > room)
            most = room;
        for (left = most; left > 0 && uart_take(&byte); left--) {
            crc = crc_byte(crc, byte);
            *to++ = byte;
        }
        m.at += most - left;
    }
    m.crc = crc;
    m.left -= most - left;
    if (m.left == 0) {
        m.place = AFTER;
        m.digits = 255;
    }
}

static uint8_t hexadecimal(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : 255;
}

static void finish(void)
{
    message_t message = {.broken_block = m.broken_block, .has_block = m.has_block, .too_long = m.too_long};
    bool checked = scpi_checked(), empty = m.at == 0;
    uint16_t end = m.at;
    if (uart_lost()) {
        start();
        return scpi_stopped();
    }
    if (checked) {
        /* what arrived damaged is as if it had not arrived */
        if (m.digits != 4 || m.sum != m.crc_at_star || !m.numbered)
            return start();
        if (m.repeat) {
            scpi_repeat();
            return start();
        }
        end = m.star;
    } else if (empty) {
        return start();
    }
    if (!m.has_block)
        m.end = end;
    if (m.length > BLOCK)
        message.too_long = true;
    message.text = message_buffer + m.words;
    message.length = m.end > m.words ? m.end - m.words : 0;
    message.block = message_buffer + m.block;
    message.block_length = (uint16_t)m.length;
    scpi_do(&message, (uint16_t)m.number);
    start();
}

/* Everything outside the bytes of a block. */
static void outside(uint8_t byte)
{
    if (byte == '\n') {
        if (m.place == HASH || m.place == LENGTH)
            m.broken_block = true;
        return finish();
    }
    if (m.place == HASH) {
        m.has_block = true;
        m.end = m.at - 1;
        m.left = byte - '0';
        m.place = LENGTH;
        if (byte < '1' || byte > '9') {
            m.broken_block = true;
            m.place = AFTER;
        }
    } else if (m.place == LENGTH) {
        m.length = m.length * 10 + (byte - '0');
        m.left--;
        if (byte < '0' || byte > '9') {
            m.broken_block = true;
            m.length = 0;
            m.place = AFTER;
        } else if (m.left == 0) {
            m.left = m.length;
            m.block = m.repeat ? 0 : m.at + 1;
            m.place = m.length == 0 ? AFTER : BYTES;
        }
    } else if (m.place == NUMBER) {
        if (byte == ' ') {
            m.numbered = m.at > 0 && m.number <= 65535;
            m.repeat = m.numbered && scpi_is_repeat((uint16_t)m.number);
            m.words = m.at + 1;
            m.place = WORDS;
        } else if (byte < '0' || byte > '9' || m.number > 65535) {
            m.number = 65536;
        } else {
            m.number = m.number * 10 + (byte - '0');
        }
    } else if (m.place == WORDS && byte == '#') {
        m.place = HASH;
    } else if (m.place == AFTER && !scpi_checked()) {
        m.broken_block = true;
    } else if (m.place == AFTER && m.digits == 255 && byte != '*') {
        m.broken_block = true;
    }
    if (byte == '*') {
        m.star = m.at;
        m.crc_at_star = m.crc;
        m.digits = 0;
        m.sum = 0;
    } else if (m.digits != 255) {
        uint8_t digit = hexadecimal(byte);
        m.sum = (uint16_t)(m.sum << 4 | digit);
        m.digits = digit == 255 || m.digits == 4 ? 255 : m.digits + 1;
    }
    keep(byte);
}

static void take(uint8_t byte)
{
    m.begun = true;
    if (m.place == BYTES) {
        keep(byte);
        if (--m.left == 0) {
            m.place = AFTER;
            m.digits = 255;
        }
        return;
    }
    if (m.carriage_return && byte != '\n')
        outside('\r');
    m.carriage_return = byte == '\r';
    if (!m.carriage_return)
        outside(byte);
}

void message_poll(void)
{
    static uint16_t last;
    static bool ready;
    uint8_t byte;
    if (!ready) {
        start();
        ready = true;
    }
    if (uart_take(&byte)) {
        do {
            take(byte);
            if (m.place == BYTES)
                take_bytes();
        } while (uart_take(&byte));
        last = clock_now();
    } else if (m.begun && (uint16_t)(clock_now() - last) >= CLOCK_MS(PATIENCE)) {
        start();
        uart_lost();
        scpi_stopped();
    }
}
