/* The command line: one table of commands, each with its options, operands and help. */
#ifndef PRESCREEN_CLI_CLI_H
#define PRESCREEN_CLI_CLI_H

/* Runs the command that argv names and returns the exit status of the process: 0 done, 1 error; `screen` also
 * 3 (block) and 4 (report). Answers go to stdout, everything said to people to stderr. Threads: once, from
 * main. */
int cli_run(int argc, char *const argv[]);

#endif
