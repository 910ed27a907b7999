#pragma once

/// Marks the function of a body: the work of one GPU thread in a pass. A C++ compiler makes it a
/// plain function, which tests call in a loop on the host.
#ifdef __CUDACC__
#define RETIA_BODY __host__ __device__ __forceinline__
#else
#define RETIA_BODY inline
#endif
