/* The queue of errors, and their texts. */
#include "errors.h"
#include "build.h"

#define QUEUE 8

static error_t queue[QUEUE];
static uint8_t count;

void errors_add(error_t error)
{
    if (count < QUEUE)
        queue[count++] = error;
    else
        queue[QUEUE - 1] = OVERFLOW;
}

error_t errors_take(void)
{
    error_t oldest = queue[0];
    if (count == 0)
        return OK;
    count--;
    for (uint8_t i = 0; i < count; i++)
        queue[i] = queue[i + 1];
    return oldest;
}

void errors_clear(void)
{
    count = 0;
}

const char *errors_text(error_t error)
{
    switch (error) {
    case OK:
        return PSTR("No error");
    case TOO_LONG:
        return PSTR("Message too long");
    case INCOMPLETE:
        return PSTR("Message incomplete");
    case UNKNOWN:
        return PSTR("Unknown command");
    case NO_BLOCK:
        return PSTR("Invalid block");
    case OUT_OF_RANGE:
        return PSTR("Argument out of range");
    case OUT_OF_MEMORY:
        return PSTR("Out of memory");
    case BAD_PROGRAM:
        return PSTR("Invalid operations");
    default:
        return PSTR("Error queue overflow");
    }
}
