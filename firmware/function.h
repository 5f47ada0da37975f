/* What a transfer function is to the machine. The functions themselves are printed from their definitions into functions.h. */
#ifndef ISOFORM_FUNCTION_H
#define ISOFORM_FUNCTION_H

#include "fixed.h"
#include <stdint.h>

typedef struct {
    const char *id;
    uint8_t x, n, p, y; /* how many inputs, states, parameters and outputs */
    int8_t event;       /* the state that is compared with the threshold; -1 if it never jumps, and then test and land are absent */
    void (*flow)(const q_t *x, const q_t *s, const q_t *c, q_t *out);
    void (*test)(const q_t *s, const q_t *p, q_t *out); /* the level and the threshold */
    void (*land_to_value)(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out);
    void (*land_subtract)(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out);
    void (*tick)(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *next, q_t *y);
} isoform_function_t;

extern const isoform_function_t isoform_functions[];
extern const uint8_t function_count;

/* The most inputs, states or outputs that a function may have. */
#define WIDEST 4

#endif
