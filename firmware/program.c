/* Checks a program once, so that running it needs no checks. */
#include "program.h"
#include "build.h"
#include "function.h"

static const uint8_t *bytes;
static uint16_t words;

static uint16_t word(uint16_t at)
{
    return (uint16_t)(bytes[2 * at] | (uint16_t)bytes[2 * at + 1] << 8);
}

static bool holds(uint16_t first, uint32_t count)
{
    return count == 0 || (first <= CELLS && count <= (uint32_t)CELLS - first);
}

/* `one` by `other` cells; their product does not overflow 32 bits. */
static bool holds_rows(uint16_t first, uint16_t one, uint16_t other)
{
    return holds(first, (uint32_t)one * other);
}

static bool there_or_nobody(uint16_t first, uint16_t count)
{
    return first == NOBODY || holds(first, count);
}

/* Each of these gives how many words follow the code, or nought if they are wrong; `has` so many words are there. */
static uint32_t copy(uint16_t at, uint16_t has)
{
    return has >= 3 && holds(word(at), word(at + 2)) && holds(word(at + 1), word(at + 2)) ? 3 : 0;
}

static uint32_t sum(uint16_t at, uint16_t has)
{
    if (has < 3 || word(at + 2) > has - 3 || !holds(word(at), word(at + 1)))
        return 0;
    for (uint16_t k = 0; k < word(at + 2); k++)
        if (!holds(word(at + 3 + k), word(at + 1)))
            return 0;
    return 3u + word(at + 2);
}

static uint32_t neuron(uint16_t at, uint16_t has)
{
    if (has < 3 || word(at) >= function_count || word(at + 1) > (TEST_BEFORE | FIRE_AT | SUBTRACT))
        return 0;
    function_t f = function_of((uint8_t)word(at));
    uint8_t inputs = f.widths[0], states = f.widths[1], parameters = f.widths[2], outputs = f.widths[3];
    uint16_t n = word(at + 2), follow = 6u + inputs + outputs, x = at + 3, s = x + inputs, y = s + 3;
    if (inputs > WIDEST || states > WIDEST || outputs > WIDEST)
        return 0;
    if (has < follow)
        return 0;
    for (uint8_t k = 0; k < inputs; k++)
        if (!there_or_nobody(word(x + k), n))
            return 0;
    for (uint8_t k = 0; k < outputs; k++)
        if (!there_or_nobody(word(y + k), n))
            return 0;
    if (!holds_rows(word(s), n, states) || !holds_rows(word(s + 2), n, parameters))
        return 0;
    return holds_rows(word(s + 1), n, function_coefficients(&f)) ? follow : 0;
}

static uint32_t linear(uint16_t at, uint16_t has)
{
    if (has < 6)
        return 0;
    uint16_t rows = word(at + 2), cols = word(at + 3);
    bool fits = holds(word(at), rows) && holds(word(at + 1), cols) && holds_rows(word(at + 4), rows, cols);
    return fits && there_or_nobody(word(at + 5), rows) ? 6 : 0;
}

static uint32_t read(uint16_t at, uint16_t has)
{
    if (has < 6)
        return 0;
    uint16_t n = word(at + 4), rows = word(at + 5);
    if (n > has - 6 || rows == 0 || !holds(word(at), n) || !holds(word(at + 3), 1) || !holds_rows(word(at + 2), rows, n))
        return 0;
    for (uint16_t i = 0; i < n; i++)
        if (word(at + 6 + i) > rows || (word(at + 6 + i) == 0 && !holds(word(at + 1), n)))
            return 0;
    return 6u + n;
}

static uint32_t absorb(uint16_t at, uint16_t has)
{
    if (has < 5)
        return 0;
    uint16_t n = word(at + 2), rows = word(at + 3);
    return rows > 0 && holds_rows(word(at), rows, n) && holds(word(at + 1), 1) && holds(word(at + 4), n) ? 5 : 0;
}

bool program_fits(const uint8_t *from, uint16_t count)
{
    bytes = from;
    words = count;
    if (words <= HEADER || !holds(word(0), word(1)) || !holds(word(2), word(3)) || word(4) != 0)
        return false;
    for (uint32_t at = HEADER; at < words;) {
        uint16_t after = (uint16_t)at + 1, has = words - after;
        uint32_t follow;
        switch (word((uint16_t)at)) {
        case END:
            return has == 0;
        case COPY:
            follow = copy(after, has);
            break;
        case SUM:
            follow = sum(after, has);
            break;
        case NEURON:
            follow = neuron(after, has);
            break;
        case LINEAR:
            follow = linear(after, has);
            break;
        case READ:
            follow = read(after, has);
            break;
        case ABSORB:
            follow = absorb(after, has);
            break;
        default:
            return false;
        }
        if (follow == 0)
            return false;
        at += 1 + follow;
    }
    return false;
}
