/* The vector machine: a memory of numbers and a list of operations that is done once a tick. */
#ifndef ISOFORM_MACHINE_H
#define ISOFORM_MACHINE_H

#include "build.h"
#include "errors.h"
#include "fixed.h"
#include <stdint.h>

/* Modes of a run: one row of inputs for all ticks; outputs as bits; outputs as counts. */
#define RUN_HELD 1
#define RUN_BITS 2
#define RUN_COUNTS 4
#define RUN_MOST_TICKS 65535

extern q_t machine_memory[CELLS];

/* No operations, memory nought. */
void machine_clear(void);

/* Checks operations as they came, little-endian, and takes them if all of them can be done. */
error_t machine_load(const uint8_t *bytes, uint16_t words);

uint16_t machine_inputs(void);
uint16_t machine_outputs(void);

/* Runs, and gives how often a result was cut. The outputs must not overlap the inputs. */
uint32_t machine_run(uint32_t ticks, uint8_t mode, const uint8_t *inputs, uint8_t *outputs);

#endif
