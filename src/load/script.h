/* Inside the load room: what the code members of a TorchScript archive say of its classes, and what
 * its layouts share. */
#ifndef CK_LOAD_SCRIPT_H
#define CK_LOAD_SCRIPT_H

#include "folder.h"

typedef struct ck_script {
	ck_job *job;
	const ck_folder *folder;
	ck_map files;      /* modules whose code was looked for */
	ck_map classes;    /* "module.NAME" -> bits of ck_script_bit */
	ck_map attributes; /* "module.NAME.attribute" of all lists */
	uint64_t key_bytes; /* of all keys: the name of a class is in those of all its attributes */
} ck_script;

enum ck_script_bit {
	CK_SCRIPT_KNOWN = 1,
	CK_SCRIPT_BUFFERS = 2 /* it lists its buffers; before PyTorch 1.6 all else was one */
};

/* A class or function of a TorchScript archive, or a module of them: __torch__.a.b */
bool ck_script_is_own(const ck_global *global);
/* The classes of the archive itself need no telling: they are what the layout is made of. */
void ck_script_forget(ck_torch *torch);
/* Reads the code of a class, if there is any; *bits is then what is known of it. */
bool ck_script_class(ck_script *script, const ck_global *global, unsigned *bits);
/* Tells how many constants of the code were kept. */
void ck_script_tell_constants(ck_job *job, size_t count);
/* Whether a class lists an attribute as a parameter or a buffer. */
bool ck_script_lists(ck_script *script, const ck_global *global, const char *name, size_t len);

#endif
