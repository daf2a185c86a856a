/* Inside the load room: the folder at the top of an archive of torch, and what lies in it. */
#ifndef CK_LOAD_FOLDER_H
#define CK_LOAD_FOLDER_H

#include "load.h"

/* All members of an archive that torch wrote lie in one folder. */
typedef struct ck_folder {
	ck_archive *archive;
	const char *top;      /* its name, slash included: "archive/"; may be empty */
	size_t top_len;
	const char *storages; /* where the storages are, below it: "data/" */
	const char *suffix;   /* behind a storage's key */
} ck_folder;

/* Whether members are called FOLDER/`name`; *folder is then the first such folder. Files get
 * renamed, so the folder's name comes from the archive and never from the file. */
bool ck_folder_of(const ck_archive *archive, const char *name, ck_folder *folder);
/* The only FOLDER/data.pkl of the archive; the folder is then that one. NULL after a failure. */
ck_member *ck_folder_pickle(ck_job *job, ck_folder *folder);
/* The member `within` + name of the folder, or NULL. */
ck_member *ck_folder_find(ck_job *job, const ck_folder *folder, const char *within,
                          const char *name, size_t len);
ck_member *ck_folder_member(ck_job *job, const ck_folder *folder, const char *name);
/* The member `version` must say a version that torch reads. */
bool ck_folder_version(ck_job *job, const ck_folder *folder, bool required);
/* The member `byteorder` says "little" or "big"; before PyTorch 2.1 there was none. */
bool ck_folder_byteorder(ck_job *job, const ck_folder *folder, bool *big);
/* Lets a storage have the bytes of a member, which must be as many as it needs. */
bool ck_folder_fill(ck_job *job, const ck_folder *folder, ck_member *member, ck_storage *storage);
/* For ck_torch.find; ck_torch.arg is the folder. */
bool ck_folder_storage(ck_torch *torch, ck_storage *storage);
/* A storage that is all of a member; each member gives one, however often it is asked for. NULL
 * after a failure. `records` starts out empty. */
ck_storage *ck_folder_record(ck_loaded *loaded, const ck_folder *folder, ck_map *records,
                             ck_member *member);
/* Reads a pickle of the folder. Its storages are in it, too; NULL after a failure. */
ck_torch *ck_folder_read(ck_loaded *loaded, const ck_folder *folder, ck_member *pickle);

#endif
