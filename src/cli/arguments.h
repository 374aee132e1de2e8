/* The command line, without passwords for those who list processes. */
#ifndef ROOFTALLY_CLI_ARGUMENTS_H
#define ROOFTALLY_CLI_ARGUMENTS_H

/*
 * Copy the arguments, and in the originals, which /proc and ps show, put the redacted form
 * in place of connection strings: what follows --postgres, and connection or path in
 * --set, however options are shortened. To be called first of all; what started this
 * process, as mpirun does, has the arguments too.
 *
 * Returns  the copy, which lives as long as the process, or NULL without memory
 */
char **arguments_hide(int argc, char **argv);

#endif
