/*
 * Runs an image of the firmware as machine code behind a pseudo-terminal.
 *
 *     runner MCU IMAGE.elf
 *
 * The only line on standard output is the path of the terminal, which any program opens as it would open a serial port. It runs until it
 * is ended by a signal. Bytes arrive at the speed that the firmware has set, in simulated time.
 *
 * The terminal is served here and not by simavr's own part, which stops for good once 512 bytes wait.
 */
#define _GNU_SOURCE
#include "avr_uart.h"
#include "sim_avr.h"
#include "sim_elf.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define FREQUENCY 16000000

/* Looks for bytes every so many clocks; as many bytes as the receiver's own queue in simavr takes come at once. */
#define LOOK 400

/* The receiver is surely on after so many clocks; what comes before is lost, as on a real board. */
#define BOOT (FREQUENCY / 20)

/* So long after an answer it no longer runs faster than a real board, so that an idle one is cheap. After a message it may be at work. */
#define IDLE FREQUENCY
#define WORK (600ULL * FREQUENCY)

static int master;
static bool may_send = true; /* the receiver has room */
static avr_cycle_count_t idle_from, now;

static void has_room(struct avr_irq_t *irq, uint32_t value, void *unused)
{
    (void)irq, (void)value, (void)unused;
    may_send = true;
}

static void is_full(struct avr_irq_t *irq, uint32_t value, void *unused)
{
    (void)irq, (void)value, (void)unused;
    may_send = false;
}

static void sent(struct avr_irq_t *irq, uint32_t value, void *unused)
{
    uint8_t byte = (uint8_t)value;
    (void)irq, (void)unused;
    idle_from = now + IDLE;
    /* a terminal that nobody reads fills up; a real cable would lose the byte, too */
    while (write(master, &byte, 1) < 0 && errno == EINTR)
        ;
}

static void receive(struct avr_irq_t *input)
{
    static uint8_t bytes[4096];
    static ssize_t got, taken;
    while (may_send) {
        if (taken >= got) {
            taken = 0;
            got = read(master, bytes, sizeof bytes);
            if (got <= 0)
                return;
        }
        idle_from = now + WORK;
        avr_raise_irq(input, bytes[taken++]);
    }
}

/* The path of a raw terminal; its other end is kept open, so that a program may leave and another come. */
static const char *terminal(void)
{
    struct termios raw;
    const char *path;
    master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 || (path = ptsname(master)) == NULL)
        return NULL;
    int other = open(path, O_RDWR | O_NOCTTY);
    if (other < 0 || tcgetattr(other, &raw) != 0)
        return NULL;
    cfmakeraw(&raw);
    return tcsetattr(other, TCSANOW, &raw) == 0 ? path : NULL;
}

static void complain(struct avr_t *avr, const int level, const char *format, va_list arguments)
{
    (void)avr;
    if (level == LOG_ERROR)
        vfprintf(stderr, format, arguments);
}

int main(int count, char **arguments)
{
    static elf_firmware_t image;
    uint32_t flags = 0;
    if (count != 3) {
        fprintf(stderr, "usage: %s MCU IMAGE.elf\n", arguments[0]);
        return 2;
    }
    /* simavr prints remarks; standard output is for the path alone */
    int out = dup(STDOUT_FILENO);
    if (out < 0 || freopen("/dev/null", "w", stdout) == NULL)
        return 1;
    avr_global_logger_set(complain);
    if (elf_read_firmware(arguments[2], &image) != 0) {
        fprintf(stderr, "%s: not an image that can be read\n", arguments[2]);
        return 1;
    }
    avr_t *avr = avr_make_mcu_by_name(arguments[1]);
    if (avr == NULL) {
        fprintf(stderr, "%s: not a microcontroller that simavr knows\n", arguments[1]);
        return 1;
    }
    avr_init(avr);
    avr->frequency = FREQUENCY;
    avr_load_firmware(avr, &image);
    /* otherwise simavr sleeps where a program polls, and prints what it sends */
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);

    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), sent, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), has_room, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), is_full, NULL);
    avr_irq_t *input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    const char *path = terminal();
    if (path == NULL) {
        perror("a pseudo-terminal");
        return 1;
    }

    bool told = false;
    for (avr_cycle_count_t look = BOOT;;) {
        int state = avr_run(avr);
        if (state == cpu_Done || state == cpu_Crashed) {
            fprintf(stderr, "the program ended or crashed at clock %llu\n", (unsigned long long)avr->cycle);
            return 1;
        }
        now = avr->cycle;
        if (now < look)
            continue;
        look = now + LOOK;
        if (!told)
            dprintf(out, "%s\n", path);
        told = true;
        receive(input);
        if (now > idle_from) {
            struct pollfd line = {.fd = master, .events = POLLIN};
            poll(&line, 1, 1);
            look = now + FREQUENCY / 1000;
        }
    }
}
