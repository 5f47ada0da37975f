/* The errors of the protocol. */
#ifndef ISOFORM_ERRORS_H
#define ISOFORM_ERRORS_H

#include <stdint.h>

typedef int16_t error_t;

#define OK 0
#define TOO_LONG (-100)
#define INCOMPLETE (-109)
#define UNKNOWN (-113)
#define NO_BLOCK (-161)
#define OUT_OF_RANGE (-222)
#define OUT_OF_MEMORY (-225)
#define BAD_PROGRAM (-285)
#define OVERFLOW (-350)

/* Adds to the queue of eight. */
void errors_add(error_t error);

/* Takes the oldest, or OK. */
error_t errors_take(void);

void errors_clear(void);

/* What it means, in flash. */
const char *errors_text(error_t error);

#endif
