/*
 * The line and the clock of a process: standard input and output.
 *
 * With `--records`, standard input is a sequence of records, each two bytes of length (little-endian) and so many bytes, and the clock
 * moves on beyond the patience of the board after each record, without anybody waiting. So thousands of broken messages a second can be
 * tried, and every trial is the same.
 */
#include "uart.h"
#include "message.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint8_t input[65536];
static size_t got, taken;
static bool records;
static uint32_t left;
static uint16_t jumped;

static void flush(void)
{
    if (fflush(stdout) != 0)
        exit(1);
}

/* One byte of standard input, or -1 at its end. */
static int next_byte(void)
{
    if (taken == got) {
        ssize_t count = read(STDIN_FILENO, input, sizeof input);
        if (count <= 0)
            return -1;
        got = (size_t)count;
        taken = 0;
    }
    return input[taken++];
}

static void leave(void)
{
    flush();
    exit(0);
}

bool uart_take(uint8_t *byte)
{
    int read;
    if (records && left == 0) {
        int low = next_byte(), high = next_byte();
        if (low < 0 || high < 0)
            leave();
        left = (uint32_t)low | (uint32_t)high << 8;
        jumped = (uint16_t)(jumped + 2 * PATIENCE);
        return false;
    }
    if (!records && taken == got) {
        struct pollfd standard_input = {.fd = STDIN_FILENO, .events = POLLIN};
        flush();
        if (poll(&standard_input, 1, PATIENCE / 5) <= 0)
            return false;
    }
    read = next_byte();
    if (read < 0)
        leave();
    left -= records;
    *byte = (uint8_t)read;
    return true;
}

uint16_t clock_now(void)
{
    struct timespec now;
    if (records)
        return jumped;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint16_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

void uart_put(uint8_t byte)
{
    if (putchar(byte) == EOF)
        exit(1);
}

bool uart_lost(void)
{
    return false;
}

void uart_init(void)
{
}

int main(int count, char **arguments)
{
    records = count > 1 && strcmp(arguments[1], "--records") == 0;
    for (;;)
        message_poll();
}
