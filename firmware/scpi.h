/* Commands and their answers. */
#ifndef ISOFORM_SCPI_H
#define ISOFORM_SCPI_H

#include "message.h"
#include <stdbool.h>
#include <stdint.h>

/* Where in the buffer the answer stands that a repeat will ask for; BUFFER if it is not there. */
extern uint16_t scpi_kept;

/* Gives that place up. */
void scpi_forget(void);

/* Whether messages are numbered and have a sum. */
bool scpi_checked(void);

/* Whether this is the number of the message before. */
bool scpi_is_repeat(uint16_t number);

/* Does a message and answers it. */
void scpi_do(const message_t *message, uint16_t number);

/* Sends the last answer again. */
void scpi_repeat(void);

/* A message stopped in its middle. */
void scpi_stopped(void);

#endif
