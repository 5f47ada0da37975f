/* Runs operations. All addresses were checked when they were loaded (`program.c`), so that nothing is checked here. */
#include "machine.h"
#include "function.h"
#include "program.h"
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "memory is read and written as it stands, which is little-endian in the protocol"
#endif

q_t machine_memory[CELLS];
uint32_t q_clipped;

/* in_first, in_count, out_first, out_count, 0, then operations up to END. */
static uint16_t code[CODE];

#define m machine_memory

void machine_clear(void)
{
    /* the next message may be on its way, so that this is as short as can be: cell by cell is twice as fast as byte by byte */
    for (q_t *cell = m; cell < m + CELLS; cell++)
        *cell = 0;
    memset(code, 0, (HEADER + 1) * sizeof *code);
}

error_t machine_load(const uint8_t *bytes, uint16_t words)
{
    if (words > CODE)
        return OUT_OF_MEMORY;
    if (!program_fits(bytes, words))
        return BAD_PROGRAM;
    memcpy(code, bytes, words * 2u);
    return OK;
}

uint16_t machine_inputs(void)
{
    return code[1];
}

uint16_t machine_outputs(void)
{
    return code[3];
}

static const uint16_t *copy(const uint16_t *at)
{
    q_t *to = m + at[0];
    const q_t *from = m + at[1];
    for (uint16_t n = at[2]; n > 0; n--)
        *to++ = *from++;
    return at + 3;
}

static const uint16_t *sum(const uint16_t *at)
{
    uint16_t to = at[0], n = at[1], k = at[2];
    for (uint16_t i = 0; i < n; i++) {
        q_t total = k > 0 ? m[at[3] + i] : 0;
        for (uint16_t j = 1; j < k; j++)
            total = q_add(total, m[at[3 + j] + i]);
        m[to + i] = total;
    }
    return at + 3 + k;
}

static const uint16_t *neuron(const uint16_t *at)
{
    const function_t f = function_of((uint8_t)at[0]);
    const uint8_t inputs = f.widths[0], states = f.widths[1], parameters = f.widths[2], outputs = f.widths[3];
    const uint8_t flags = (uint8_t)at[1];
    const uint16_t n = at[2], coefficients = function_coefficients(&f);
    const uint16_t *x_at = at + 3, *y_at = x_at + inputs + 3;
    const uint16_t s_at = x_at[inputs];
    const q_t *c = coefficients > 0 ? m + x_at[inputs + 1] : m, *p = parameters > 0 ? m + x_at[inputs + 2] : m;
    q_t x[WIDEST], s[WIDEST], flowed[WIDEST], landed[WIDEST], y[WIDEST], level[2];

    for (uint16_t i = 0; i < n; i++, c += coefficients, p += parameters) {
        const q_t *after = flowed;
        q_t fired = 0;
        for (uint8_t k = 0; k < inputs; k++)
            x[k] = x_at[k] == NOBODY ? 0 : m[x_at[k] + i];
        for (uint8_t k = 0; k < states; k++)
            s[k] = m[s_at + k * n + i];
        f.flow(x, s, c, flowed);
        if (f.event >= 0) {
            const q_t *tested = flags & TEST_BEFORE ? s : flowed;
            f.test(tested, p, level);
            fired = flags & FIRE_AT ? q_at_or_above(level[0], level[1]) : q_above(level[0], level[1]);
            if (fired) {
                (flags & SUBTRACT ? f.land_subtract : f.land_to_value)(tested, flowed, p, landed);
                after = landed;
            }
        }
        f.tick(x, after, p, fired, s, y);
        for (uint8_t k = 0; k < states; k++)
            m[s_at + k * n + i] = s[k];
        for (uint8_t k = 0; k < outputs; k++)
            if (y_at[k] != NOBODY)
                m[y_at[k] + i] = y[k];
    }
    return y_at + outputs;
}

static const uint16_t *linear(const uint16_t *at)
{
    uint16_t rows = at[2], cols = at[3];
    const q_t *w = m + at[4];
    for (uint16_t r = 0; r < rows; r++) {
        const q_t *from = m + at[1];
        q_t total = at[5] == NOBODY ? 0 : m[at[5] + r];
        for (uint16_t c = cols; c > 0; c--)
            total = q_add(total, q_mul(*w++, *from++));
        m[at[0] + r] = total;
    }
    return at + 6;
}

/* The place of the head in a line of so many rows. The host may write any number there, so that this one check stays. */
static uint16_t head_of(uint16_t cell, uint16_t rows)
{
    uint32_t head = (uint32_t)m[cell];
    return (uint16_t)(head < rows ? head : head % rows);
}

static const uint16_t *read(const uint16_t *at)
{
    uint16_t to = at[0], from = at[1], line = at[2], n = at[4], rows = at[5];
    uint16_t head = head_of(at[3], rows);
    for (uint16_t i = 0; i < n; i++) {
        uint16_t delay = at[6 + i], row = head + rows - delay;
        if (row >= rows)
            row -= rows;
        m[to + i] = delay == 0 ? m[from + i] : m[line + row * n + i];
    }
    return at + 6 + n;
}

static const uint16_t *absorb(const uint16_t *at)
{
    uint16_t n = at[2], rows = at[3], from = at[4];
    uint16_t head = head_of(at[1], rows);
    for (uint16_t i = 0; i < n; i++)
        m[at[0] + head * n + i] = m[from + i];
    m[at[1]] = head + 1 == rows ? 0 : head + 1;
    return at + 5;
}

static void tick(void)
{
    const uint16_t *at = code + HEADER;
    for (;;) {
        switch (*at++) {
        case COPY:
            at = copy(at);
            break;
        case SUM:
            at = sum(at);
            break;
        case NEURON:
            at = neuron(at);
            break;
        case LINEAR:
            at = linear(at);
            break;
        case READ:
            at = read(at);
            break;
        case ABSORB:
            at = absorb(at);
            break;
        default:
            return;
        }
    }
}

uint32_t machine_run(uint32_t ticks, uint8_t mode, const uint8_t *inputs, uint8_t *outputs)
{
    q_t *in = m + code[0];
    const q_t *out = m + code[2];
    uint16_t in_bytes = code[1] * sizeof(q_t), outs = code[3];
    q_clipped = 0;
    if (mode & RUN_COUNTS)
        memset(outputs, 0, outs * sizeof(uint32_t));
    for (; ticks > 0; ticks--) {
        if (in_bytes > 0)
            memcpy(in, inputs, in_bytes);
        if (!(mode & RUN_HELD))
            inputs += in_bytes;
        tick();
        if (mode & RUN_COUNTS) {
            for (uint16_t i = 0; i < outs; i++) {
                uint32_t count;
                memcpy(&count, outputs + i * sizeof count, sizeof count);
                count += out[i] != 0;
                memcpy(outputs + i * sizeof count, &count, sizeof count);
            }
        } else if (mode & RUN_BITS) {
            memset(outputs, 0, (outs + 7u) / 8);
            for (uint16_t i = 0; i < outs; i++)
                outputs[i / 8] |= (uint8_t)((out[i] != 0) << i % 8);
            outputs += (outs + 7u) / 8;
        } else {
            memcpy(outputs, out, outs * sizeof(q_t));
            outputs += outs * sizeof(q_t);
        }
    }
    return q_clipped;
}
