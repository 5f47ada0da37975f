/* The one place that has the functions. */
#include "function.h"
#include "functions.h"

const uint8_t function_count = sizeof isoform_functions / sizeof *isoform_functions;
