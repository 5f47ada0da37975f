/* Answers: they are kept as what they say and written when they are sent, so that they can be sent again. */
#ifndef ISOFORM_ANSWER_H
#define ISOFORM_ANSWER_H

#include "errors.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum { SILENCE, IDENTITY, VERSION, DONE, ERROR_TAKEN, CAPABILITIES, NUMBERS, RAN } kind_t;

typedef struct {
    error_t error;
    kind_t kind;
    error_t taken;           /* from the queue */
    uint32_t ticks, clipped; /* of a run */
    const uint8_t *payload;
    uint16_t length;
} answer_t;

/* Sends the line of a query. */
void answer_plain(const answer_t *answer);

/* Sends the line of a checked message. */
void answer_checked(const answer_t *answer, uint16_t number);

#endif
