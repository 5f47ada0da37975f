//! The OpenCL substrate: whole programs on GPUs, CPUs and FPGA boards.
