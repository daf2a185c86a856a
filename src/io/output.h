/* Inside the io room: what making outputs and bringing them to their names share. */
#ifndef CK_OUTPUT_H
#define CK_OUTPUT_H

#include "io.h"

struct ck_output {
	ck_file *files;
	unsigned flags;
	bool committed;
};

/* Removes what is called `temp`. */
void ck_file_forget(ck_file *file);
/* Undoes what a commit that failed half-way has done to this file. */
void ck_file_take_back(ck_file *file);

#endif
