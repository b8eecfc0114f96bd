/* SPDX-License-Identifier: MIT */
#include "process/options.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/mount_words.h"
#include "process/mountpoint.h"
#include "process/path.h"
#include "version.h"

static const char usage[] =
    "usage: vhdfs STORE MOUNTPOINT [-f] [-d] [-o option,...]\n"
    "\n"
    "Mount the directory STORE of virtual hard disks on MOUNTPOINT; both are made if missing.\n"
    "\n"
    "    -f              stay in the foreground\n"
    "    -d              the same, and print each request of the kernel\n"
    "    -h, --help      print this help\n"
    "    -V, --version   print the version\n"
    "\n"
    "    -o ro           change nothing\n"
    "    -o uid=N,gid=N  owner of all files, by number or name (default: the user who mounts;\n"
    "                    for a disk, the owner of its image)\n"
    "    -o umask=M      permissions to take away, octal (default: none)\n"
    "    -o allow_other  let other users use the tree, root too\n"
    "    -o history=N    number of tasks to remember (default: 4096)\n"
    "    -o jobs=N       number of long tasks at work at once (default: the processors)\n"
    "    -o user=NAME    run as this user; only root may name another user\n"
    "    -o unsafe_store allow a store on sshfs or rclone, whose locks hold on one host only\n"
    "    -o pidfile=FILE write the daemon's process id to FILE, and remove FILE at the end\n"
    "    and the options of mount(8) for any file system: rw, dev, suid, noexec, noatime, ...\n";

enum key {
    KEY_HELP = 1,
    KEY_VERSION,
    KEY_FOREGROUND,
    KEY_DEBUG,
    KEY_READ_ONLY,
    KEY_REMOUNT,
    KEY_SHARED,
    KEY_UNSAFE,
    KEY_UID,
    KEY_GID,
    KEY_UMASK,
    KEY_HISTORY,
    KEY_JOBS,
};

/* An owner, or a umask, that no option has given. */
#define UNSET ((unsigned)-1)

/* The state of a parse. */
struct parse {
    struct fs_options options;
    enum fs_parsed outcome;
};

/* For words whose value libfuse does not store: FUSE_OPT_KEY, without clang's warning. */
#define NO_VALUE ((unsigned long)-1U)

#define AT(member) offsetof(struct parse, options.member)

static const struct fuse_opt specs[] = {
    {"-h", NO_VALUE, KEY_HELP},           {"--help", NO_VALUE, KEY_HELP},
    {"-V", NO_VALUE, KEY_VERSION},        {"--version", NO_VALUE, KEY_VERSION},
    {"-f", NO_VALUE, KEY_FOREGROUND},     {"-d", NO_VALUE, KEY_DEBUG},
    {"debug", NO_VALUE, KEY_DEBUG},       {"allow_other", NO_VALUE, KEY_SHARED},
    {"allow_root", NO_VALUE, KEY_SHARED}, {"ro", NO_VALUE, KEY_READ_ONLY},
    {"remount", NO_VALUE, KEY_REMOUNT},   {"unsafe_store", NO_VALUE, KEY_UNSAFE},
    {"uid=", NO_VALUE, KEY_UID},          {"gid=", NO_VALUE, KEY_GID},
    {"umask=", NO_VALUE, KEY_UMASK},      {"history=", NO_VALUE, KEY_HISTORY},
    {"jobs=", NO_VALUE, KEY_JOBS},        {"pidfile=%s", AT(pidfile), 0},
    {"user=%s", AT(user_name), 0},        {NULL, 0, 0},
};

static __attribute__((format(printf, 2, 3))) int refuse(struct parse *parse, const char *format,
                                                        ...)
{
    va_list args;

    fputs("vhdfs: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    parse->outcome = FS_PARSED_WRONG;
    return -1;
}

int fs_options_given_fd(int argc, char *const *argv)
{
    for (int i = argc - 1; i > 0; i--) {
        int fd = fs_path_fuse_fd(argv[i]);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

/* Accept a descriptor as MOUNTPOINT. It must be one that fs_options_given_fd() finds. */
static int parse_given_fd(struct parse *parse, const char *arg)
{
    struct fs_options *options = &parse->options;

    options->given_fd = fs_path_fuse_fd(arg);
    if (options->given_fd < 0)
        return refuse(
            parse,
            "\"%s\" is no open descriptor of /dev/fuse above 2; give one that is mounted, "
            "or the path of a folder",
            arg);
    options->mountpoint = strdup(arg);
    return options->mountpoint ? 0 : -1;
}

/* Accept a path as STORE or MOUNTPOINT. Returns 0, or -1 when it is refused. */
static int parse_path(struct parse *parse, const char *arg)
{
    struct fs_options *options = &parse->options;
    char **path = !options->store ? &options->store : &options->mountpoint;

    if (options->mountpoint)
        return refuse(parse, "too many arguments: \"%s\"; give one STORE and one MOUNTPOINT", arg);
    if (!*arg)
        return refuse(parse, "%s is empty; give the path of a folder",
                      options->store ? "MOUNTPOINT" : "STORE");
    if (options->store && fs_path_fd(arg) >= 0)
        return parse_given_fd(parse, arg);
    *path = fs_path_resolve(arg);
    if (*path)
        return 0;
    return refuse(parse, "cannot tell where \"%s\" is: %s; give an absolute path", arg,
                  errno == ENOENT ? "the current folder is gone" : strerrordesc_np(errno));
}

/* The text behind the '=' of an option. */
static const char *value_of(const char *arg)
{
    return strchr(arg, '=') + 1;
}

/* Is the text a number from low to high, with digits of the base alone? */
static bool is_number(const char *text, int base, unsigned low, unsigned high, unsigned *ret)
{
    const char *digits = base == 8 ? "01234567" : "0123456789";

    if (!*text || text[strspn(text, digits)])
        return false;
    errno = 0;
    unsigned long number = strtoul(text, NULL, base);
    if (errno || number < low || number > high)
        return false;
    *ret = (unsigned)number;
    return true;
}

static int parse_owner(struct parse *parse, const char *arg, int key)
{
    const char *text = value_of(arg);
    int err = key == KEY_UID ? fs_user_id(text, &parse->options.uid)
                             : fs_group_id(text, &parse->options.gid);

    return err == 0 ? 0
                    : refuse(parse, "%s: there is no such %s; give a name or a number", arg,
                             key == KEY_UID ? "user" : "group");
}

static int parse_number(struct parse *parse, const char *arg, int key)
{
    struct fs_options *options = &parse->options;
    const char *text = value_of(arg);

    if (key == KEY_UMASK)
        return is_number(text, 8, 0, 0777, &options->umask)
                   ? 0
                   : refuse(parse, "%s is not valid; give an octal number from 0 to 777", arg);
    unsigned *number = key == KEY_JOBS ? &options->jobs : &options->history;
    const unsigned most = key == KEY_JOBS ? FS_JOBS_MAX : UINT_MAX;
    return is_number(text, 10, 1, most, number)
               ? 0
               : refuse(parse, "%s is not valid; give a number from 1 to %u", arg, most);
}

/* The default of jobs=: the processors that this process may use. */
static unsigned usable_processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return FS_JOBS_MAX; /* more processors than the set can hold */
    const unsigned count = (unsigned)CPU_COUNT(&set);
    return count < FS_JOBS_MAX ? count : FS_JOBS_MAX;
}

/* Judge a word without a key. Returns as parse_argument(). */
static int parse_word(struct parse *parse, const char *word)
{
    switch (fs_mount_word(word)) {
    case FS_MOUNT_WORD_PASSED:
        return 1;
    case FS_MOUNT_WORD_IGNORED:
        return 0;
    default:
        return refuse(parse, "unknown option \"%s\"; vhdfs --help lists the options", word);
    }
}

/* libfuse calls this for each argument. 1 leaves it to libfuse, 0 drops it, -1 refuses it. */
static int parse_argument(void *data, const char *arg, int key, struct fuse_args *out)
{
    struct parse *parse = data;
    (void)out;

    switch (key) {
    case FUSE_OPT_KEY_NONOPT:
        return parse_path(parse, arg);
    case KEY_HELP:
        fputs(usage, stdout);
        parse->outcome = FS_PARSED_DONE;
        return -1;
    case KEY_VERSION:
        puts("vhdfs " VHDFS_VERSION);
        parse->outcome = FS_PARSED_DONE;
        return -1;
    case KEY_FOREGROUND:
        parse->options.is_foreground = true;
        return 0;
    case KEY_DEBUG:
        parse->options.is_foreground = true;
        return 1;
    case KEY_READ_ONLY:
        parse->options.is_read_only = true;
        return 1;
    case KEY_UNSAFE:
        parse->options.is_unsafe_store = true;
        return 0;
    case KEY_REMOUNT:
        return refuse(parse, "vhdfs cannot remount; unmount and mount again");
    case KEY_SHARED:
        parse->options.is_shared = true;
        return 1;
    case KEY_UID:
    case KEY_GID:
        return parse_owner(parse, arg, key);
    case KEY_UMASK:
    case KEY_HISTORY:
    case KEY_JOBS:
        return parse_number(parse, arg, key);
    default:
        return parse_word(parse, arg);
    }
}

/* Find the user to run as. It owns the files of the tree, unless uid= or gid= is given. */
static int judge_user(struct parse *parse)
{
    struct fs_options *options = &parse->options;
    struct fs_user *user = &options->user;

    *user = (struct fs_user){geteuid(), getegid()};
    int err = options->user_name ? fs_user_find(options->user_name, user) : 0;
    if (err == -EPERM)
        return refuse(parse, "user=%s: only root may run vhdfs as another user",
                      options->user_name);
    if (err < 0)
        return refuse(parse, "user=%s: there is no such user; give the name of one",
                      options->user_name);
    options->has_uid = options->uid != UNSET;
    options->has_gid = options->gid != UNSET;
    options->has_umask = options->umask != UNSET;
    if (!options->has_umask)
        options->umask = 0;
    if (options->uid == UNSET)
        options->uid = user->uid;
    if (options->gid == UNSET)
        options->gid = user->gid;
    return 0;
}

/*
 * Refuse a mount point that shows a vhdfs. The second tree would hide the first, and programs in
 * the first would use another store than the path shows. The mount itself refuses a dead one.
 */
static int judge_mountpoint(struct parse *parse)
{
    const char *path = parse->options.mountpoint;
    AUTO_FREE char *shown = fs_mount_store(path);

    if (!shown || fs_mount_is_dead(path))
        return 0;
    return refuse(parse,
                  "\"%s\" already shows the store \"%s\"; unmount it first, or choose another "
                  "MOUNTPOINT",
                  path, shown);
}

/* Judge all that needs the whole command line. */
static int judge(struct parse *parse)
{
    const struct fs_options *options = &parse->options;

    if (!options->mountpoint) {
        fputs(usage, stderr);
        parse->outcome = FS_PARSED_WRONG;
        return -1;
    }
    if (options->pidfile && !*options->pidfile)
        return refuse(parse, "pidfile= is empty; give the path of a file");
    if (options->given_fd >= 0)
        return judge_user(parse);
    if (fs_path_is_inside(options->store, options->mountpoint) ||
        fs_path_is_inside(options->mountpoint, options->store))
        return refuse(parse,
                      "STORE and MOUNTPOINT overlap; give two folders, neither inside the other");
    int err = judge_mountpoint(parse);
    return err < 0 ? err : judge_user(parse);
}

/* libfuse leaves a "--" at the end, and would take the options added behind it for paths. */
static void drop_separator(struct fuse_args *args)
{
    if (!args->allocated || strcmp(args->argv[args->argc - 1], "--") != 0)
        return;
    free(args->argv[--args->argc]);
    args->argv[args->argc] = NULL;
}

/* Add the options that every mount has. */
static int add_fuse_options(struct fs_options *options)
{
    AUTO_FREE char *list = NULL;
    AUTO_FREE char *fsname = NULL;

    drop_separator(&options->fuse);
    if (asprintf(&fsname, "fsname=%s", options->store) < 0)
        return -1;
    if (fuse_opt_add_opt(&list, "default_permissions,subtype=vhdfs") < 0 ||
        fuse_opt_add_opt_escaped(&list, fsname) < 0)
        return -1;
    return fuse_opt_add_arg(&options->fuse, "-o") < 0 || fuse_opt_add_arg(&options->fuse, list) < 0
               ? -1
               : 0;
}

/* Is "-o" the last argument, without words? Behind "--" it is a path. */
static bool lacks_words(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (i == argc - 1 && strcmp(argv[i], "-o") == 0)
            return true;
    }
    return false;
}

enum fs_parsed fs_options_parse(int argc, char **argv, struct fs_options *ret)
{
    struct fuse_args given = FUSE_ARGS_INIT(argc, argv);
    struct parse parse = {
        .options = {.uid = UNSET,
                    .gid = UNSET,
                    .umask = UNSET,
                    .history = 4096,
                    .jobs = usable_processors(),
                    .given_fd = -1,
                    .fuse = given},
        .outcome = FS_PARSED_RUN,
    };

    int err = lacks_words(argc, argv)
                  ? refuse(&parse, "-o needs options after it, such as -o ro,umask=077")
                  : fuse_opt_parse(&parse.options.fuse, &parse, specs, parse_argument);
    if (err == 0)
        err = judge(&parse);
    if (err == 0)
        err = add_fuse_options(&parse.options);
    if (err < 0 && parse.outcome == FS_PARSED_RUN)
        parse.outcome = FS_PARSED_WRONG;
    *ret = parse.options;
    return parse.outcome;
}

void fs_options_free(struct fs_options *options)
{
    free(options->store);
    free(options->mountpoint);
    free(options->pidfile);
    free(options->user_name);
    fuse_opt_free_args(&options->fuse);
}
