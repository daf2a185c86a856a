/* Folders and what is below them: every regular file, in an order that is always the same. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* bytes: the same in every locale */
}

static int is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static bool fail(const cli_tree *tree, const char *path)
{
	tree->failed(tree->arg, path, errno ? strerror(errno) : "cannot be read");
	return true;
}

/* ---- files that were met ---- */

/* A file, and the last part of the name that it was met under: what a file is judged by depends on
 * both, so that another name of the same file is looked at, but not another link of that name. */
typedef struct {
	dev_t device;
	ino_t inode;
	char name[];
} met;

static int by_file(const void *one, const void *other)
{
	const met *a = one, *b = other;
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Whether the file was not met before. */
static bool meet(cli_tree *tree, const char *path, const struct stat *st)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name) + 1;
	met *this = malloc(sizeof *this + len);
	if (!this)
		return true; /* once too often is better than not at all */
	this->device = st->st_dev;
	this->inode = st->st_ino;
	memcpy(this->name, name, len);
	met **place = tsearch(this, &tree->met, by_file);
	if (!place || *place != this)
		free(this);
	return !place || *place == this;
}

void cli_tree_end(cli_tree *tree)
{
	tdestroy(tree->met, free);
	tree->met = NULL;
}

/* ---- walking ---- */

/* FOLDER/NAME in new memory. */
static char *join(const char *folder, const char *name)
{
	size_t len = strlen(folder);
	char *path = malloc(len + strlen(name) + 2);
	if (!path)
		return NULL;
	memcpy(path, folder, len);
	if (!len || folder[len - 1] != '/')
		path[len++] = '/';
	strcpy(path + len, name);
	return path;
}

static bool walk_folder(cli_tree *tree, const char *path);

/* A link stands for the file that it leads to; one to a folder may lead anywhere, or in circles. */
static bool walk_link(cli_tree *tree, const char *path)
{
	struct stat st;
	if (stat(path, &st)) {
		if (errno != ENOENT)
			return fail(tree, path);
		tree->failed(tree->arg, path, "a symbolic link to a file that is not there");
	} else if (S_ISDIR(st.st_mode)) {
		tree->passed(tree->arg, path, CLI_PASSED_FOLDER);
	} else if (!S_ISREG(st.st_mode)) {
		tree->failed(tree->arg, path, "a symbolic link to a pipe or a device");
	} else if (meet(tree, path, &st)) {
		return tree->file(tree->arg, path);
	} else {
		tree->passed(tree->arg, path, CLI_PASSED_MET);
	}
	return true;
}

static bool walk_entry(cli_tree *tree, const char *path)
{
	struct stat st;
	if (lstat(path, &st))
		return fail(tree, path);
	if (S_ISDIR(st.st_mode))
		return walk_folder(tree, path);
	if (S_ISLNK(st.st_mode))
		return walk_link(tree, path);
	if (S_ISREG(st.st_mode)) {
		meet(tree, path, &st);
		return tree->file(tree->arg, path);
	}
	tree->passed(tree->arg, path, CLI_PASSED_PIPE);
	return true;
}

static bool walk_folder(cli_tree *tree, const char *path)
{
	struct dirent **list;
	errno = 0;
	int count = scandir(path, &list, is_entry, by_name);
	if (count < 0)
		return fail(tree, path);
	bool ok = true;
	for (int i = 0; i < count; i++) {
		char *name = ok ? join(path, list[i]->d_name) : NULL;
		if (ok)
			ok = name ? walk_entry(tree, name) : fail(tree, path);
		free(name);
		free(list[i]);
	}
	free(list);
	return ok;
}

bool cli_tree_walk(cli_tree *tree, const char *path)
{
	struct stat st;
	if (stat(path, &st))
		return fail(tree, path);
	if (S_ISDIR(st.st_mode))
		return walk_folder(tree, path);
	meet(tree, path, &st);
	return tree->file(tree->arg, path);
}
