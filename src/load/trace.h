/* Inside the load room: what files say of the programs that wrote them. All do nothing unless the
 * caller wishes for traces. */
#ifndef CK_LOAD_TRACE_H
#define CK_LOAD_TRACE_H

#include "folder.h"

/* The members of an archive of torch that tell something. */
bool ck_trace_folder(ck_loaded *loaded, const ck_folder *folder);
/* The protocol of the pickle that begins at `at`. */
bool ck_trace_pickle(ck_loaded *loaded, const ck_source *source, uint64_t at);
/* A layout that says something by itself. */
bool ck_trace_say(ck_loaded *loaded, const char *what, const char *value, const char *means);

#endif
