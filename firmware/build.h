/* What this build has: sizes, and where constants stand. */
#ifndef ISOFORM_BUILD_H
#define ISOFORM_BUILD_H

#include <stdint.h>

/*
 * CELLS of four bytes, CODE words of two and BLOCK bytes of messages share the SRAM with RING bytes of received characters; some 700
 * bytes stay for the stack and for what is left.
 */
#if defined(__AVR_ATmega328P__)
#define NAME "atmega328p"
#define CELLS 128
#define CODE 96
#define BLOCK 256
#define RING 64
#elif defined(__AVR_ATmega2560__)
#define NAME "atmega2560"
#define CELLS 1200
#define CODE 512
#define BLOCK 1024
#define RING 256
#else
#define NAME "host"
#define CELLS 1200
#define CODE 512
#define BLOCK 1024
#define RING 256
#endif

/* Inputs that a program may expect to be computed without a cut; the numbers themselves reach to 128. */
#define RANGE "-32,32"

/* The words of a message beside its block, and what a message may be longer than it should before it reaches a kept answer. */
#define TEXT 64
#define SLACK 32
#define BUFFER (TEXT + BLOCK + SLACK)

/* A message that stops arriving for so many milliseconds is dropped. */
#define PATIENCE 100

/* Where a call would cost more than the work. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Constants of an AVR stand in flash, which is a memory of its own. */
#ifdef __AVR__
#include <avr/pgmspace.h>
#else
#include <string.h>
#define PROGMEM
#define PSTR(text) (text)
#define pgm_read_byte(at) (*(const uint8_t *)(at))
#define memcpy_P memcpy
#endif

#endif
