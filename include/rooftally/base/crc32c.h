/* CRC-32C (Castagnoli), as in RFC 3720 appendix B.4; start with crc = 0. */
#ifndef ROOFTALLY_BASE_CRC32C_H
#define ROOFTALLY_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n_bytes);

/* The same without the processor's help. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t n_bytes);

#endif
