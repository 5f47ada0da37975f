/* Operations as they stand in a program. */
#ifndef ISOFORM_PROGRAM_H
#define ISOFORM_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

enum { END, COPY, SUM, NEURON, LINEAR, READ, ABSORB };

/* The words before the operations. */
#define HEADER 5

/* As an address. */
#define NOBODY 65535u

/* Flags of a neuron. */
#define TEST_BEFORE 1
#define FIRE_AT 2
#define SUBTRACT 4

/* Whether all operations are known, whole and within the memory, and the last of them is END. */
bool program_fits(const uint8_t *bytes, uint16_t words);

#endif
