/* A transfer function as the machine sees it. The functions themselves are printed from their definitions into functions.h. */
#ifndef ISOFORM_FUNCTION_H
#define ISOFORM_FUNCTION_H

#include "fixed.h"
#include <stdint.h>

typedef struct {
    const char *id;               /* in flash */
    uint8_t widths[4];            /* how many inputs, states, parameters and outputs */
    int8_t event;                 /* the state that is compared with the threshold; -1 if it never fires: then test and land are absent */
    void (*flow)(const q_t *x, const q_t *s, const q_t *c, q_t *out);
    void (*test)(const q_t *s, const q_t *p, q_t *out); /* the level and the threshold */
    void (*land_to_value)(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out);
    void (*land_subtract)(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out);
    void (*tick)(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y);
} function_t;

extern const uint8_t function_count;

/* Takes a function out of the table in flash. */
function_t function_of(uint8_t number);

/* How many coefficients a channel has: those of the run-time form, by rows. */
static inline uint16_t function_coefficients(const function_t *f)
{
    return (uint16_t)f->widths[1] * (f->widths[1] + f->widths[0] + 1u);
}

/* The most inputs, states or outputs that a function may have here. */
#define WIDEST 4

#endif
