/*
 * Numbers with Q_FRACTION bits after the point, in two's complement of 32 bits.
 *
 * A product is computed exactly and rounded at the half towards plus infinity; a sum is exact; what is beyond the largest number is cut
 * to it and counted. Comparisons give one or nought.
 */
#ifndef ISOFORM_FIXED_H
#define ISOFORM_FIXED_H

#include <stdint.h>

typedef int32_t q_t;

#ifndef Q_FRACTION
#define Q_FRACTION 24
#endif
#define Q_ONE ((q_t)1 << Q_FRACTION)
#define Q_MAX INT32_MAX
#define Q_MIN INT32_MIN

/* How often a result was cut. */
extern uint32_t q_clipped;

static inline q_t q_cut(int8_t negative)
{
    q_clipped++;
    return negative ? Q_MIN : Q_MAX;
}

/* The byte with the sign, which an AVR has in a register. */
static inline int8_t q_top(q_t a)
{
    return (int8_t)((uint32_t)a >> 24);
}

static inline q_t q_add(q_t a, q_t b)
{
    q_t sum = (q_t)((uint32_t)a + (uint32_t)b);
    /* it went beyond the end where both terms have the sign that the sum has not */
    return (int8_t)((q_top(a) ^ q_top(sum)) & (q_top(b) ^ q_top(sum))) < 0 ? q_cut(a < 0) : sum;
}

static inline q_t q_sub(q_t a, q_t b)
{
    q_t difference = (q_t)((uint32_t)a - (uint32_t)b);
    return (int8_t)((q_top(a) ^ q_top(b)) & (q_top(a) ^ q_top(difference))) < 0 ? q_cut(a < 0) : difference;
}

#if defined __AVR__ && Q_FRACTION == 24

/* 24 bits are three bytes: instead of a shift, bytes 3 to 6 of the product are taken; byte 7 tells whether they say all. */
static inline q_t q_mul(q_t a, q_t b)
{
    union {
        int64_t all;
        struct __attribute__((packed)) {
            uint8_t below[3];
            q_t middle;
            int8_t above;
        } part;
    } product;
    product.all = (int64_t)a * b;
    /* half a unit of the last place is the highest bit of byte 2 */
    if (product.part.below[2] & 0x80) {
        if (product.part.middle == -1) /* it carries */
            product.part.above++;
        product.part.middle = (q_t)((uint32_t)product.part.middle + 1);
    }
    return product.part.above == (product.part.middle < 0 ? -1 : 0) ? product.part.middle : q_cut(product.part.above < 0);
}

#else

static inline q_t q_mul(q_t a, q_t b)
{
    int64_t product = ((int64_t)a * b + (((int64_t)1 << Q_FRACTION) >> 1)) >> Q_FRACTION;
    return product == (q_t)product ? (q_t)product : q_cut(product < 0);
}

#endif

static inline q_t q_neg(q_t a)
{
    return a == Q_MIN ? q_cut(0) : -a;
}

static inline q_t q_abs(q_t a)
{
    return a < 0 ? q_neg(a) : a;
}

static inline q_t q_max(q_t a, q_t b)
{
    return a > b ? a : b;
}

static inline q_t q_min(q_t a, q_t b)
{
    return a < b ? a : b;
}

static inline q_t q_above(q_t a, q_t b)
{
    return a > b ? Q_ONE : 0;
}

static inline q_t q_at_or_above(q_t a, q_t b)
{
    return a >= b ? Q_ONE : 0;
}

static inline q_t q_select(q_t condition, q_t yes, q_t no)
{
    return condition != 0 ? yes : no;
}

static inline q_t q_floor(q_t a)
{
    return (q_t)((uint32_t)a & ~(uint32_t)(Q_ONE - 1));
}

#endif
