/* Folders and what is below them: every regular file, in an order that is always the same. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
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

static bool walk_folder(const cli_tree *tree, const char *path);

static bool walk_entry(const cli_tree *tree, const char *path)
{
	struct stat st;
	if (lstat(path, &st))
		return fail(tree, path);
	if (S_ISDIR(st.st_mode))
		return walk_folder(tree, path);
	if (S_ISREG(st.st_mode))
		return tree->file(tree->arg, path);
	tree->passed(tree->arg, path, S_ISLNK(st.st_mode));
	return true;
}

static bool walk_folder(const cli_tree *tree, const char *path)
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

bool cli_tree_walk(const cli_tree *tree, const char *path)
{
	struct stat st;
	if (stat(path, &st))
		return fail(tree, path);
	return S_ISDIR(st.st_mode) ? walk_folder(tree, path) : tree->file(tree->arg, path);
}
