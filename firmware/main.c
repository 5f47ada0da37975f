/* The reference board: everything happens between two messages. */
#include "message.h"
#include "uart.h"

int main(void)
{
    uart_init();
    for (;;)
        message_poll();
}
