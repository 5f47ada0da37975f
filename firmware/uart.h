/* The line to the host, and a clock. `uart.c` has them on an AVR, `host.c` on a process. */
#ifndef ISOFORM_UART_H
#define ISOFORM_UART_H

#include "build.h"
#include <stdbool.h>
#include <stdint.h>

void uart_init(void);

/* Waits until there is room, then sends. */
void uart_put(uint8_t byte);

/* Whether bytes were lost since the last call: the ring or the receiver overran. */
bool uart_lost(void);

#ifdef __AVR__

#include <avr/io.h>

extern volatile uint8_t uart_ring[RING];
extern volatile uint8_t uart_head;
extern volatile uint8_t uart_tail;

/* Takes the oldest byte, if there is one. */
static ALWAYS_INLINE bool uart_take(uint8_t *byte)
{
    uint8_t tail = uart_tail;
    if (tail == uart_head)
        return false;
    *byte = uart_ring[tail];
    uart_tail = (uint8_t)(tail + 1) & (RING - 1);
    return true;
}

/* A free-running timer; it wraps after four seconds, so that only differences of less than that mean something. */
static inline uint16_t clock_now(void)
{
    return TCNT1;
}

#define CLOCK_MS(ms) ((uint16_t)(((uint32_t)(ms) * (F_CPU / 1024) + 999) / 1000))

#else

bool uart_take(uint8_t *byte);
uint16_t clock_now(void);
#define CLOCK_MS(ms) ((uint16_t)(ms))

#endif

#endif
