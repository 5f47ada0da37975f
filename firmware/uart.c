/* The serial port and the timer of an AVR. */
#include "uart.h"
#include <avr/interrupt.h>

#ifndef BAUD
#define BAUD 115200UL
#endif

/* U2X: eight clocks a bit. At 16 MHz, 1 and 2 Mbaud are exact, and 115200 is 2.1 % off, which a receiver tolerates. */
#define DIVISOR ((F_CPU / 8 + BAUD / 2) / BAUD - 1)

#ifdef USART0_RX_vect
#define RECEIVED USART0_RX_vect
#else
#define RECEIVED USART_RX_vect
#endif

volatile uint8_t uart_ring[RING];
volatile uint8_t uart_head;
volatile uint8_t uart_tail;
static volatile bool lost;

void uart_init(void)
{
    TCCR1A = 0;
    TCCR1B = _BV(CS12) | _BV(CS10); /* 16 MHz / 1024 */
    UCSR0A = _BV(U2X0);
    UBRR0 = DIVISOR;
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00); /* 8N1 */
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
    sei();
}

/* At 1 Mbaud a byte comes every 160 clocks: this may do no more than put it away. */
ISR(RECEIVED)
{
    uint8_t status = UCSR0A;
    uint8_t byte = UDR0;
    uint8_t head = uart_head;
    uint8_t next = (uint8_t)(head + 1) & (RING - 1);
    if (next == uart_tail) {
        lost = true;
        return;
    }
    uart_ring[head] = byte;
    uart_head = next;
    if (status & _BV(DOR0))
        lost = true;
}

bool uart_lost(void)
{
    bool was = lost;
    if (was)
        lost = false;
    return was;
}

void uart_put(uint8_t byte)
{
    while (!(UCSR0A & _BV(UDRE0)))
        ;
    UDR0 = byte;
}
