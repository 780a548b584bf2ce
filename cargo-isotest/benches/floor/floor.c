/* What does the kernel itself charge for one default sandbox?
 *
 * Makes N sandboxes, at most J of them alive at a time, and prints the seconds that took, as a plain number.
 * A sandbox here is what isotest gives a test by default and nothing more: the same namespaces, the same mounts,
 * an init, and in place of the test a process that exits at once. No exec, no Rust, no protocol, no report.
 *
 *   floor N J [--spaces clone|unshare] [--cloners K] [--no-test] [--without STEP]...
 *
 *   --spaces    clone: all namespaces by one clone3 in the parent (default);
 *               unshare: clone3 makes user and pid, the child unshares the rest for itself
 *   --cloners   this many processes clone, each N/K sandboxes with J/K of them alive
 *   --no-test   init does not fork the process that stands for the test
 *   --without   leaves a namespace or a step out, to see what it costs: the names in STEPS below
 *
 * Every failure names the step and ends the program: a floor that skipped a step would be a wrong floor.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Kernel numbers that older headers lack; the same on every architecture. */
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#define MOVE_MOUNT_F_EMPTY_PATH 4
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* clone3 takes a struct of its own so that this file builds with headers that do not know it. */
struct clone3_args {
    unsigned long long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

enum step {
    USER, PID, MNT, NET, UTS, IPC,
    LO, PORTS, PING, HOSTNAME, PRIVATE, TMPFS, HOSTS, PROC, SYSFS, CGROUP, TEST,
    STEPS
};

static const char *const step_names[STEPS] = {
    "user", "pid", "mnt", "net", "uts", "ipc",
    "lo", "ports", "ping", "hostname", "private", "tmpfs", "hosts", "proc", "sysfs", "cgroup", "test",
};

/* Without what it needs a step would change the host, so it is left out too. A mount needs PRIVATE because it would
 * otherwise propagate; a fresh proc belongs to a pid namespace, a fresh sysfs to a network namespace. */
#define NEEDS(step) (1u << (step))
static const unsigned needs[STEPS] = {
    [LO] = NEEDS(NET),
    [PORTS] = NEEDS(NET),
    [PING] = NEEDS(NET),
    [HOSTNAME] = NEEDS(UTS),
    [PRIVATE] = NEEDS(MNT),
    [TMPFS] = NEEDS(PRIVATE),
    [HOSTS] = NEEDS(TMPFS) | NEEDS(HOSTNAME),
    [PROC] = NEEDS(PRIVATE) | NEEDS(PID),
    [SYSFS] = NEEDS(PRIVATE) | NEEDS(NET),
    [CGROUP] = NEEDS(SYSFS),
};

static const struct { const char *path, *options; } tmpfs[] = {
    {"/tmp", "size=256M,mode=1777"},
    {"/var/tmp", "size=256M,mode=1777"},
    {"/dev/shm", "size=256M,mode=1777"},
    {"/run", "size=256M,mode=755"},
};

static int wanted[STEPS];
static int unshares; /* --spaces unshare */
static uid_t uid;
static gid_t gid;

static void fail(const char *doing, const char *what)
{
    fprintf(stderr, "floor: %s %s: %s\n", doing, what, strerror(errno));
    fflush(stderr);
    _exit(1);
}

static long check(long result, const char *doing, const char *what)
{
    if (result < 0)
        fail(doing, what);
    return result;
}

static void write_file(const char *path, const char *text)
{
    int file = check(open(path, O_WRONLY | O_CLOEXEC), "opening", path);
    check(write(file, text, strlen(text)), "writing", path);
    close(file);
}

/* Root maps everything, which only its parent namespace may write; anybody else maps himself, which he may do alone. */
static int parent_writes_maps(void) { return wanted[USER] && uid == 0; }

static void write_maps(const char *process)
{
    char path[64], uids[64] = "0 0 4294967295", gids[64] = "0 0 4294967295";
    if (uid != 0) {
        snprintf(uids, sizeof uids, "%u %u 1", uid, uid);
        snprintf(gids, sizeof gids, "%u %u 1", gid, gid);
    }
    snprintf(path, sizeof path, "/proc/%s/setgroups", process);
    write_file(path, "deny");
    snprintf(path, sizeof path, "/proc/%s/uid_map", process);
    write_file(path, uids);
    snprintf(path, sizeof path, "/proc/%s/gid_map", process);
    write_file(path, gids);
}

static unsigned long long flag(enum step space, unsigned long long value) { return wanted[space] ? value : 0; }

static unsigned long long user_and_pid(void) { return flag(USER, CLONE_NEWUSER) | flag(PID, CLONE_NEWPID); }

static unsigned long long other_spaces(void)
{
    return flag(MNT, CLONE_NEWNS) | flag(NET, CLONE_NEWNET) | flag(UTS, CLONE_NEWUTS) | flag(IPC, CLONE_NEWIPC);
}

static void lo_up(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int any = check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "opening", "a socket for lo");
    check(ioctl(any, SIOCSIFFLAGS, &lo), "setting up", "lo");
    close(any);
}

static void ping_for_own_group(void)
{
    char range[64];
    snprintf(range, sizeof range, "%u %u", gid, gid);
    write_file("/proc/sys/net/ipv4/ping_group_range", range);
}

static void mount_tmpfs(void)
{
    for (unsigned i = 0; i < sizeof tmpfs / sizeof *tmpfs; i++)
        check(mount("tmpfs", tmpfs[i].path, "tmpfs", MS_NOSUID | MS_NODEV, tmpfs[i].options), "mounting tmpfs on", tmpfs[i].path);
}

/* A file over /etc/hosts, which knows the machine by its name, from a tmpfs that the next one covers. */
static void lay_hosts(void)
{
    const char *own = "/var/tmp/file";
    check(mount("tmpfs", "/var/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=1M,mode=755"), "mounting tmpfs on", "/var/tmp");
    int file = check(open(own, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), "making", own);
    const char *text = "127.0.0.1 localhost\n::1 localhost\n127.0.0.1 isotest\n::1 isotest\n";
    check(write(file, text, strlen(text)), "writing", own);
    close(file);
    int tree = check(syscall(SYS_open_tree, AT_FDCWD, own, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), "copying", own);
    check(syscall(SYS_move_mount, tree, "", AT_FDCWD, "/etc/hosts", MOVE_MOUNT_F_EMPTY_PATH), "moving a file over", "/etc/hosts");
    close(tree);
}

static void mount_sysfs(void)
{
    int cgroup = -1;
    if (wanted[CGROUP])
        cgroup = check(syscall(SYS_open_tree, AT_FDCWD, "/sys/fs/cgroup", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE),
                       "copying", "/sys/fs/cgroup");
    check(mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "mounting sysfs on", "/sys");
    if (wanted[CGROUP]) {
        check(syscall(SYS_move_mount, cgroup, "", AT_FDCWD, "/sys/fs/cgroup", MOVE_MOUNT_F_EMPTY_PATH), "moving the copy to", "/sys/fs/cgroup");
        close(cgroup);
    }
}

static void run_test(void)
{
    int status;
    pid_t test = check(fork(), "forking", "the test");
    if (test == 0)
        _exit(0);
    check(waitpid(test, &status, 0), "waiting for", "the test");
    if (status != 0) {
        errno = ECHILD;
        fail("waiting for", "the test, which did not end well");
    }
}

static void init(int maps_written)
{
    char byte;
    if (wanted[USER] && !parent_writes_maps())
        write_maps("self");
    if (unshares)
        check(unshare(other_spaces()), "unsharing", "mnt, net, uts, ipc");
    if (parent_writes_maps() && check(read(maps_written, &byte, 1), "waiting for", "the id maps") != 1) {
        errno = EPIPE;
        fail("waiting for", "the id maps");
    }
    if (wanted[LO]) lo_up();
    if (wanted[PORTS]) write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    if (wanted[PING]) ping_for_own_group();
    if (wanted[HOSTNAME]) check(sethostname("isotest", 7), "setting", "the hostname");
    if (wanted[PRIVATE]) check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "making private", "/");
    if (wanted[HOSTS]) lay_hosts();
    if (wanted[TMPFS]) mount_tmpfs();
    if (wanted[PROC]) check(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "mounting proc on", "/proc");
    if (wanted[SYSFS]) mount_sysfs();
    if (wanted[TEST]) run_test();
    _exit(0);
}

static void start_sandbox(void)
{
    int maps_written[2] = {-1, -1};
    struct clone3_args args = {.exit_signal = SIGCHLD, .flags = user_and_pid() | (unshares ? 0 : other_spaces())};
    if (parent_writes_maps())
        check(pipe2(maps_written, O_CLOEXEC), "opening", "a pipe");
    pid_t child = check(syscall(SYS_clone3, &args, sizeof args), "cloning", "init");
    if (child == 0) {
        close(maps_written[1]);
        init(maps_written[0]);
    }
    if (parent_writes_maps()) {
        char process[16];
        snprintf(process, sizeof process, "%d", child);
        write_maps(process);
        close(maps_written[0]);
        check(write(maps_written[1], "", 1), "telling init about", "the id maps");
        close(maps_written[1]);
    }
}

static void await_sandbox(void)
{
    int status;
    check(waitpid(-1, &status, 0), "waiting for", "a sandbox");
    if (status != 0)
        exit(1); /* The child has said why. */
}

static void run_sandboxes(long count, long in_flight)
{
    for (long started = 0, ended = 0; ended < count;) {
        if (started < count && started - ended < in_flight) {
            start_sandbox();
            started++;
        } else {
            await_sandbox();
            ended++;
        }
    }
}

static void run_cloners(long cloners, long count, long in_flight)
{
    for (long i = 0; i < cloners; i++)
        if (check(fork(), "forking", "a cloner") == 0) {
            /* The first ones take the remainder, so that the sum is exactly what was asked for. */
            run_sandboxes(count / cloners + (i < count % cloners), in_flight / cloners + (i < in_flight % cloners));
            _exit(0);
        }
    for (long i = 0; i < cloners; i++)
        await_sandbox();
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void usage(const char *complaint)
{
    fprintf(stderr, "floor: %s\nusage: floor N J [--spaces clone|unshare] [--cloners K] [--no-test] [--without STEP]...\nsteps:", complaint);
    for (int i = 0; i < STEPS; i++)
        fprintf(stderr, " %s", step_names[i]);
    fprintf(stderr, "\n");
    exit(2);
}

static long positive(const char *text)
{
    char *end;
    long value = text ? strtol(text, &end, 10) : 0;
    if (value < 1 || *end)
        usage("expected a number above 0");
    return value;
}

static void leave_out(const char *name)
{
    int step = 0;
    while (step < STEPS && (!name || strcmp(name, step_names[step])))
        step++;
    if (step == STEPS)
        usage("no such step");
    wanted[step] = 0;
    for (int i = 0; i < STEPS; i++) /* The needed one always stands before the one that needs it. */
        for (int j = 0; j < i; j++)
            if (needs[i] & NEEDS(j) && !wanted[j])
                wanted[i] = 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        usage("expected how many sandboxes and how many at a time");
    long count = positive(argv[1]), in_flight = positive(argv[2]), cloners = 1;
    for (int i = 0; i < STEPS; i++)
        wanted[i] = 1;
    uid = geteuid();
    gid = getegid();
    for (int i = 3; i < argc; i++) {
        if (!strcmp(argv[i], "--no-test")) {
            wanted[TEST] = 0;
        } else if (!strcmp(argv[i], "--without")) {
            leave_out(argv[++i]);
        } else if (!strcmp(argv[i], "--cloners")) {
            cloners = positive(argv[++i]);
        } else if (!strcmp(argv[i], "--spaces")) {
            const char *how = argv[++i];
            if (!how || (strcmp(how, "clone") && strcmp(how, "unshare")))
                usage("--spaces takes clone or unshare");
            unshares = !strcmp(how, "unshare");
        } else {
            usage("unknown option");
        }
    }
    if (cloners > in_flight)
        usage("more cloners than sandboxes in flight");

    double before = seconds();
    if (cloners == 1)
        run_sandboxes(count, in_flight);
    else
        run_cloners(cloners, count, in_flight);
    printf("%.4f\n", seconds() - before);
    return 0;
}
