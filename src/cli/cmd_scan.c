/* ckconv scan PATH...: looks through files and says what they could do. */
#include "cli.h"

#include <string.h>

#include <ckconv/scan.h>

static int scan_file(const char *path)
{
	static const int statuses[] = {
		[CK_SAFE] = EXIT_DONE, [CK_UNKNOWN] = EXIT_UNSURE, [CK_MALFORMED] = EXIT_INPUT,
		[CK_DANGEROUS] = EXIT_NO,
	};
	ck_job *job = ck_job_new();
	if (!job)
		return EXIT_USAGE;
	ck_scan *scan = ck_scan_open(job, path);
	const ck_report *report = scan ? ck_scan_run(scan) : NULL;
	const char *json = report ? ck_report_json(job, report) : NULL;
	int status = report ? statuses[report->verdict] : EXIT_USAGE;
	if (json)
		puts(json);
	else
		cli_print_error(ck_job_error(job));
	ck_job_free(job);
	return status;
}

int cli_scan(int argc, char **argv)
{
	int worst = EXIT_DONE;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			continue;
		int status = scan_file(argv[i]);
		if (status)
			worst = status;
	}
	return worst;
}
