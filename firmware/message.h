/* Messages: from bytes to one whole command. */
#ifndef ISOFORM_MESSAGE_H
#define ISOFORM_MESSAGE_H

#include "build.h"
#include <stdbool.h>
#include <stdint.h>

/* A command and its block. */
typedef struct {
    const uint8_t *text; /* the words before the block */
    uint16_t length;
    const uint8_t *block;
    uint16_t block_length;
    bool has_block;
    bool broken_block; /* `#` was not followed by a block, or the block by the end of the message */
    bool too_long;
} message_t;

/* One message, and from its other end the answer to the one before. */
extern uint8_t message_buffer[BUFFER];

/* Takes the bytes that have come, and does the messages that they complete. */
void message_poll(void);

#endif
