/* Inside the audit room: pickles one after the other. */
#ifndef CK_AUDIT_STREAM_H
#define CK_AUDIT_STREAM_H

#include "audit.h"

/* Reads the pickle at *at of place->source and judges what it does; *at is then behind it, if it
 * is *whole. A broken one is a finding. False as with ck_audit_source. */
bool ck_stream_pickle(ck_audit *audit, const ck_place *place, uint64_t *at, bool *whole);

#endif
