/* Transfer functions in fixed point, printed by isoform from their one definition. Do not edit:
 *     cargo run -p isoform-kernels --example firmware_functions -- firmware/functions.h
 *
 * fixed.h supplies q_t, Q_FRACTION and the helpers q_...; see "Fixed-point numbers" in docs/board-protocol.md. */
#ifndef ISOFORM_FUNCTIONS_H
#define ISOFORM_FUNCTIONS_H

#include <stdint.h>
#include "fixed.h"

/* Where constant tables go; an AVR keeps them in flash with PROGMEM. */
#ifndef ISOFORM_FLASH
#define ISOFORM_FLASH
#endif

/* The hooks of one channel. Results may not overlap operands.
 *   flow           x, s, c -> s      c is phi row by row, gamma row by row, the constant
 *   test           s, p -> level, threshold
 *   land_...       tested s, flowed s, p -> s
 *   tick           x, s, p, z -> s, y */
typedef struct {
    const char *id;
    uint8_t inputs, states, parameters, outputs;
    int8_t event; /* the state that is compared with the threshold; -1: it never fires, and test and land are 0 */
    void (*flow)(const q_t *x, const q_t *s, const q_t *c, q_t *out);
    void (*test)(const q_t *s, const q_t *p, q_t *out);
    void (*land_to_value)(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out);
    void (*land_subtract)(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out);
    void (*tick)(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y);
} isoform_function_t;

#if Q_FRACTION != 24
#error "these functions are in the format Q24; set Q_FRACTION to 24"
#endif

/* isoform.lif/1: A leaky integrate-and-fire neuron.
 *   dv/dt = (v_leak - v + r * i) / tau
 *   where v > v_threshold: v := v_reset
 *   p: tau, r, v_leak, v_threshold, v_reset
 *   Source: Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1 */
static inline void isoform_lif_flow(const q_t *x, const q_t *s, const q_t *c, q_t *out) {
    const q_t i = x[0];
    const q_t v = s[0];
    const q_t v_keeps_v = c[0];
    const q_t v_takes_i = c[1];
    const q_t v_rises = c[2];
    out[0] = q_add(q_add(v_rises, q_mul(v_takes_i, i)), q_mul(v_keeps_v, v)); /* v */
}
static inline void isoform_lif_test(const q_t *s, const q_t *p, q_t *out) {
    const q_t v = s[0];
    const q_t v_threshold = p[3];
    out[0] = v; /* level */
    out[1] = v_threshold; /* threshold */
}
static inline void isoform_lif_land_to_value(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out) {
    (void)tested;
    (void)flowed;
    const q_t v_reset = p[4];
    out[0] = v_reset; /* v */
}
static inline void isoform_lif_land_subtract(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out) {
    (void)tested;
    const q_t flowed_v = flowed[0];
    const q_t v_threshold = p[3];
    const q_t v_reset = p[4];
    out[0] = q_add(flowed_v, q_sub(v_reset, v_threshold)); /* v */
}
static inline void isoform_lif_tick(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y) {
    (void)x;
    (void)p;
    const q_t v = s[0];
    out[0] = v; /* v */
    y[0] = z; /* z */
}
static const char isoform_lif_id[] ISOFORM_FLASH = "isoform.lif/1";

/* isoform.cubalif/1: A leaky integrate-and-fire neuron behind a current-based synapse.
 *   di/dt = (w_in * x - i) / tau_syn
 *   dv/dt = (v_leak - v + r * i) / tau_mem
 *   where v > v_threshold: v := v_reset
 *   p: tau_syn, tau_mem, r, v_leak, w_in, v_threshold, v_reset
 *   Source: Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1 */
static inline void isoform_cubalif_flow(const q_t *x, const q_t *s, const q_t *c, q_t *out) {
    const q_t x_ = x[0];
    const q_t i = s[0];
    const q_t v = s[1];
    const q_t i_keeps_i = c[0];
    const q_t i_keeps_v = c[1];
    const q_t v_keeps_i = c[2];
    const q_t v_keeps_v = c[3];
    const q_t i_takes_x = c[4];
    const q_t v_takes_x = c[5];
    const q_t i_rises = c[6];
    const q_t v_rises = c[7];
    out[0] = q_add(q_add(q_add(i_rises, q_mul(i_takes_x, x_)), q_mul(i_keeps_i, i)), q_mul(i_keeps_v, v)); /* i */
    out[1] = q_add(q_add(q_add(v_rises, q_mul(v_takes_x, x_)), q_mul(v_keeps_i, i)), q_mul(v_keeps_v, v)); /* v */
}
static inline void isoform_cubalif_test(const q_t *s, const q_t *p, q_t *out) {
    const q_t v = s[1];
    const q_t v_threshold = p[5];
    out[0] = v; /* level */
    out[1] = v_threshold; /* threshold */
}
static inline void isoform_cubalif_land_to_value(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out) {
    (void)tested;
    const q_t flowed_i = flowed[0];
    const q_t v_reset = p[6];
    out[0] = flowed_i; /* i */
    out[1] = v_reset; /* v */
}
static inline void isoform_cubalif_land_subtract(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out) {
    (void)tested;
    const q_t flowed_i = flowed[0];
    const q_t flowed_v = flowed[1];
    const q_t v_threshold = p[5];
    const q_t v_reset = p[6];
    out[0] = flowed_i; /* i */
    out[1] = q_add(flowed_v, q_sub(v_reset, v_threshold)); /* v */
}
static inline void isoform_cubalif_tick(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y) {
    (void)x;
    (void)p;
    const q_t i = s[0];
    const q_t v = s[1];
    out[0] = i; /* i */
    out[1] = v; /* v */
    y[0] = z; /* z */
}
static const char isoform_cubalif_id[] ISOFORM_FLASH = "isoform.cubalif/1";

/* isoform.if/1: An integrate-and-fire neuron.
 *   dv/dt = r * i
 *   where v > v_threshold: v := v_reset
 *   p: r, v_threshold, v_reset
 *   Source: Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1 */
static inline void isoform_if_flow(const q_t *x, const q_t *s, const q_t *c, q_t *out) {
    const q_t i = x[0];
    const q_t v = s[0];
    const q_t v_keeps_v = c[0];
    const q_t v_takes_i = c[1];
    const q_t v_rises = c[2];
    out[0] = q_add(q_add(v_rises, q_mul(v_takes_i, i)), q_mul(v_keeps_v, v)); /* v */
}
static inline void isoform_if_test(const q_t *s, const q_t *p, q_t *out) {
    const q_t v = s[0];
    const q_t v_threshold = p[1];
    out[0] = v; /* level */
    out[1] = v_threshold; /* threshold */
}
static inline void isoform_if_land_to_value(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out) {
    (void)tested;
    (void)flowed;
    const q_t v_reset = p[2];
    out[0] = v_reset; /* v */
}
static inline void isoform_if_land_subtract(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out) {
    (void)tested;
    const q_t flowed_v = flowed[0];
    const q_t v_threshold = p[1];
    const q_t v_reset = p[2];
    out[0] = q_add(flowed_v, q_sub(v_reset, v_threshold)); /* v */
}
static inline void isoform_if_tick(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y) {
    (void)x;
    (void)p;
    const q_t v = s[0];
    out[0] = v; /* v */
    y[0] = z; /* z */
}
static const char isoform_if_id[] ISOFORM_FLASH = "isoform.if/1";

/* isoform.li/1: A leaky integrator.
 *   dv/dt = (v_leak - v + r * i) / tau
 *   p: tau, r, v_leak
 *   Source: Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1 */
static inline void isoform_li_flow(const q_t *x, const q_t *s, const q_t *c, q_t *out) {
    const q_t i = x[0];
    const q_t v = s[0];
    const q_t v_keeps_v = c[0];
    const q_t v_takes_i = c[1];
    const q_t v_rises = c[2];
    out[0] = q_add(q_add(v_rises, q_mul(v_takes_i, i)), q_mul(v_keeps_v, v)); /* v */
}
static inline void isoform_li_tick(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y) {
    (void)x;
    (void)p;
    (void)z;
    const q_t v = s[0];
    out[0] = v; /* v */
    y[0] = v; /* v */
}
static const char isoform_li_id[] ISOFORM_FLASH = "isoform.li/1";

/* isoform.cubali/1: A leaky integrator behind a current-based synapse.
 *   di/dt = (w_in * x - i) / tau_syn
 *   dv/dt = (v_leak - v + r * i) / tau_mem
 *   p: tau_syn, tau_mem, r, v_leak, w_in
 *   Source: Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1 */
static inline void isoform_cubali_flow(const q_t *x, const q_t *s, const q_t *c, q_t *out) {
    const q_t x_ = x[0];
    const q_t i = s[0];
    const q_t v = s[1];
    const q_t i_keeps_i = c[0];
    const q_t i_keeps_v = c[1];
    const q_t v_keeps_i = c[2];
    const q_t v_keeps_v = c[3];
    const q_t i_takes_x = c[4];
    const q_t v_takes_x = c[5];
    const q_t i_rises = c[6];
    const q_t v_rises = c[7];
    out[0] = q_add(q_add(q_add(i_rises, q_mul(i_takes_x, x_)), q_mul(i_keeps_i, i)), q_mul(i_keeps_v, v)); /* i */
    out[1] = q_add(q_add(q_add(v_rises, q_mul(v_takes_x, x_)), q_mul(v_keeps_i, i)), q_mul(v_keeps_v, v)); /* v */
}
static inline void isoform_cubali_tick(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y) {
    (void)x;
    (void)p;
    (void)z;
    const q_t i = s[0];
    const q_t v = s[1];
    out[0] = i; /* i */
    out[1] = v; /* v */
    y[0] = v; /* v */
}
static const char isoform_cubali_id[] ISOFORM_FLASH = "isoform.cubali/1";

/* isoform.i/1: An integrator.
 *   dv/dt = r * i
 *   p: r
 *   Source: Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1 */
static inline void isoform_i_flow(const q_t *x, const q_t *s, const q_t *c, q_t *out) {
    const q_t i = x[0];
    const q_t v = s[0];
    const q_t v_keeps_v = c[0];
    const q_t v_takes_i = c[1];
    const q_t v_rises = c[2];
    out[0] = q_add(q_add(v_rises, q_mul(v_takes_i, i)), q_mul(v_keeps_v, v)); /* v */
}
static inline void isoform_i_tick(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y) {
    (void)x;
    (void)p;
    (void)z;
    const q_t v = s[0];
    out[0] = v; /* v */
    y[0] = v; /* v */
}
static const char isoform_i_id[] ISOFORM_FLASH = "isoform.i/1";

/* isoform.threshold/1: One where the input is above a threshold.
 *   p: threshold
 *   Source: Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1 */
static inline void isoform_threshold_flow(const q_t *x, const q_t *s, const q_t *c, q_t *out) {
    (void)x;
    (void)s;
    (void)c;
    (void)out;
}
static inline void isoform_threshold_tick(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y) {
    (void)s;
    (void)z;
    (void)out;
    const q_t x_ = x[0];
    const q_t threshold = p[0];
    y[0] = q_above(x_, threshold); /* z */
}
static const char isoform_threshold_id[] ISOFORM_FLASH = "isoform.threshold/1";

/* isoform.scale/1: The input times a factor.
 *   p: scale
 *   Source: Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1 */
static inline void isoform_scale_flow(const q_t *x, const q_t *s, const q_t *c, q_t *out) {
    (void)x;
    (void)s;
    (void)c;
    (void)out;
}
static inline void isoform_scale_tick(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y) {
    (void)s;
    (void)z;
    (void)out;
    const q_t x_ = x[0];
    const q_t scale = p[0];
    y[0] = q_mul(x_, scale); /* y */
}
static const char isoform_scale_id[] ISOFORM_FLASH = "isoform.scale/1";

#define ISOFORM_FUNCTIONS 8

/* The place in this table is the number of a function. */
static const isoform_function_t isoform_functions[ISOFORM_FUNCTIONS] ISOFORM_FLASH = {
    /* 0 */ {isoform_lif_id, 1, 1, 5, 1, 0, isoform_lif_flow, isoform_lif_test, isoform_lif_land_to_value, isoform_lif_land_subtract, isoform_lif_tick},
    /* 1 */ {isoform_cubalif_id, 1, 2, 7, 1, 1, isoform_cubalif_flow, isoform_cubalif_test, isoform_cubalif_land_to_value, isoform_cubalif_land_subtract, isoform_cubalif_tick},
    /* 2 */ {isoform_if_id, 1, 1, 3, 1, 0, isoform_if_flow, isoform_if_test, isoform_if_land_to_value, isoform_if_land_subtract, isoform_if_tick},
    /* 3 */ {isoform_li_id, 1, 1, 3, 1, -1, isoform_li_flow, 0, 0, 0, isoform_li_tick},
    /* 4 */ {isoform_cubali_id, 1, 2, 5, 1, -1, isoform_cubali_flow, 0, 0, 0, isoform_cubali_tick},
    /* 5 */ {isoform_i_id, 1, 1, 1, 1, -1, isoform_i_flow, 0, 0, 0, isoform_i_tick},
    /* 6 */ {isoform_threshold_id, 1, 0, 1, 1, -1, isoform_threshold_flow, 0, 0, 0, isoform_threshold_tick},
    /* 7 */ {isoform_scale_id, 1, 0, 1, 1, -1, isoform_scale_flow, 0, 0, 0, isoform_scale_tick},
};

#endif
