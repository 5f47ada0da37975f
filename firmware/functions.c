/* The one place that has the functions. */
#include "build.h"
#define ISOFORM_FLASH PROGMEM
#include "function.h"
#include "functions.h"

const uint8_t function_count = ISOFORM_FUNCTIONS;

function_t function_of(uint8_t number)
{
    isoform_function_t f;
    memcpy_P(&f, &isoform_functions[number], sizeof f);
    return (function_t){
        .id = f.id,
        .widths = {f.inputs, f.states, f.parameters, f.outputs},
        .event = f.event,
        .flow = f.flow,
        .test = f.test,
        .land_to_value = f.land_to_value,
        .land_subtract = f.land_subtract,
        .tick = f.tick,
    };
}
