/* The table of opcodes: name, argument and protocol of each byte. */
#include "vm.h"

const ck_op ck_op_table[256] = {
#define X(name, code, arg, protocol, handler) [code] = {#name, CK_ARG_##arg, protocol},
	CK_OPS(X)
#undef X
};
