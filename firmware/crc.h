/* CRC-16/CCITT-FALSE: polynomial 1021, initial value FFFF. */
#ifndef ISOFORM_CRC_H
#define ISOFORM_CRC_H

#include "build.h"
#include <stdint.h>

#define CRC_NONE 0xFFFFu

/* One byte in a few shifts instead of a table: a table of 512 bytes would have to come from flash, which is no faster. */
static ALWAYS_INLINE uint16_t crc_byte(uint16_t crc, uint8_t byte)
{
    uint8_t high = (uint8_t)(crc >> 8) ^ byte;
    high ^= high >> 4;
    uint8_t upper = (uint8_t)((uint8_t)crc ^ (uint8_t)(high << 4) ^ (high >> 3));
    uint8_t lower = (uint8_t)(high ^ (uint8_t)(high << 5));
    return (uint16_t)((uint16_t)upper << 8 | lower);
}

#endif
