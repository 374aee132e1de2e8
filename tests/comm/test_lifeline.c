#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "rooftally/base/clock.h"

#include "lifeline.h"

enum { N_RANKS = 4, MOST_S = 20 };

static int count_files(void)
{
    DIR *files = opendir("/proc/self/fd");
    int n = 0;
    if (!files)
        return -1;
    while (readdir(files))
        n++;
    closedir(files);
    return n;
}

static int n_files_before;

static int remember_files(void **state)
{
    (void)state;
    n_files_before = count_files();
    return 0;
}

/* What a test has opened, or had opened, is closed again. */
static int compare_files(void **state)
{
    (void)state;
    assert_int_equal(count_files(), n_files_before);
    return 0;
}

/* An offer whose first address nobody listens at, and the second one is here. */
static int offer_here(struct lifeline_offer *offer)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t n = sizeof bound;
    int listener = lifeline_offer(offer);
    assert_true(listener >= 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&bound, &n), 0);
    struct sockaddr_in here = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = ((struct sockaddr_in *)&bound)->sin_port, /* the same place in 6 */
    };
    struct sockaddr_in nobody = here;
    nobody.sin_port = htons(1);
    memset(offer->addresses, 0, sizeof offer->addresses);
    memcpy(&offer->addresses[0], &nobody, sizeof nobody);
    memcpy(&offer->addresses[1], &here, sizeof here);
    offer->n = 2;
    return listener;
}

/* A rank that connects, or a stranger that says something else. */
struct caller {
    pthread_t thread;
    const struct lifeline_offer *offer;
    int32_t rank, turn;
    const char *says; /* NULL: what a rank says */
    int line;
};

static void *call(void *context)
{
    struct caller *caller = context;
    if (!caller->says) {
        caller->line =
            lifeline_connect(caller->offer, caller->rank, &caller->turn, MOST_S);
        return NULL;
    }
    char byte;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd,
                (const struct sockaddr *)&caller->offer->addresses[1],
                sizeof(struct sockaddr_in))
            == 0
        && send(fd, caller->says, strlen(caller->says), MSG_NOSIGNAL) >= 0
        && recv(fd, &byte, 1, 0) > 0) /* it is sent away, sooner or later */
        caller->line = fd;
    close(fd);
    return NULL;
}

static void begin(struct caller *caller, const struct lifeline_offer *offer)
{
    caller->offer = offer;
    caller->line = -1;
    assert_int_equal(pthread_create(&caller->thread, NULL, call, caller), 0);
}

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t n = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &n), 0);
    return value;
}

static void every_rank_has_a_line_and_no_stranger(void **state)
{
    struct lifeline_offer offer;
    struct caller callers[] = {
        { .says = "GET / HTTP/1.1\r\nHost: somewhere\r\n\r\n" },
        { .says = "" },
        { .says = "short" },
        { .rank = 1 },
        { .rank = 2 },
        { .rank = 3 },
    };
    enum { N = sizeof callers / sizeof *callers };
    int lines[N_RANKS], listener = offer_here(&offer), turns = 0;
    (void)state;
    for (int i = 0; i < N; i++)
        begin(&callers[i], &offer);
    assert_int_equal(lifeline_accept(listener, &offer, lines, N_RANKS, MOST_S), 3);
    for (int i = 0; i < N; i++)
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
    assert_int_equal(lines[0], -1);
    for (int i = 0; i < N; i++) {
        assert_int_equal(callers[i].line >= 0, callers[i].says == NULL);
        if (callers[i].says)
            continue;
        int ends[2] = { callers[i].line, lines[callers[i].rank] };
        char byte = (char)callers[i].rank, got = 0;
        assert_int_equal(write(ends[0], &byte, 1), 1);
        assert_int_equal(poll(&(struct pollfd){ .fd = ends[1], .events = POLLIN },
                              1,
                              1000 * MOST_S),
                         1);
        assert_int_equal(read(ends[1], &got, 1), 1);
        assert_int_equal(got, byte);
        for (int end = 0; end < 2; end++) {
            assert_int_equal(option(ends[end], SOL_SOCKET, SO_KEEPALIVE), 1);
            assert_int_equal(option(ends[end], IPPROTO_TCP, TCP_USER_TIMEOUT),
                             1000 * LIFELINE_SILENT_S);
            assert_int_equal(option(ends[end], IPPROTO_TCP, TCP_KEEPIDLE)
                                 + option(ends[end], IPPROTO_TCP, TCP_KEEPINTVL)
                                       * option(ends[end], IPPROTO_TCP, TCP_KEEPCNT),
                             LIFELINE_SILENT_S);
            close(ends[end]);
        }
        turns |= 1 << callers[i].turn;
    }
    assert_int_equal(turns, 7);
}

static void a_rank_that_is_not_expected_is_sent_away(void **state)
{
    struct lifeline_offer offer;
    int lines[2], listener = offer_here(&offer);
    struct caller callers[] = { { .rank = 0 }, { .rank = 2 }, { .rank = -1 } };
    (void)state;
    for (int i = 0; i < 3; i++)
        begin(&callers[i], &offer);
    assert_int_equal(lifeline_accept(listener, &offer, lines, 2, 0.5), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].line, -1);
    }
}

static void a_rank_has_one_line(void **state)
{
    struct lifeline_offer offer;
    int lines[3], listener = offer_here(&offer), n_lines = 0;
    struct caller callers[] = { { .rank = 1 }, { .rank = 1 } };
    (void)state;
    for (int i = 0; i < 2; i++)
        begin(&callers[i], &offer);
    assert_int_equal(lifeline_accept(listener, &offer, lines, 3, 2), 1);
    for (int i = 0; i < 2; i++) {
        pthread_join(callers[i].thread, NULL);
        n_lines += callers[i].line >= 0;
        if (callers[i].line >= 0)
            close(callers[i].line);
    }
    assert_int_equal(n_lines, 1);
    assert_true(lines[1] >= 0);
    assert_int_equal(lines[2], -1);
    close(lines[1]);
}

static void another_token_is_sent_away(void **state)
{
    struct lifeline_offer offer, other;
    int lines[2], listener = offer_here(&offer);
    struct caller caller = { .rank = 1 };
    (void)state;
    other = offer;
    other.ours[0] ^= 1;
    begin(&caller, &other);
    assert_int_equal(lifeline_accept(listener, &offer, lines, 2, 0.5), 0);
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.line, -1);
}

static void who_answers_with_another_token_is_not_rank_0(void **state)
{
    struct lifeline_offer offer, other;
    int lines[2], listener = offer_here(&offer);
    struct caller caller = { .rank = 1 };
    (void)state;
    other = offer;
    other.theirs[0] ^= 1;
    begin(&caller, &other);
    assert_int_equal(lifeline_accept(listener, &offer, lines, 2, 5), 1);
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.line, -1);
    close(lines[1]);
}

/* Somebody listens, and says nothing. */
static void who_does_not_answer_is_given_up(void **state)
{
    struct lifeline_offer offer;
    int listener = offer_here(&offer);
    int32_t turn = 7;
    (void)state;
    assert_int_equal(lifeline_connect(&offer, 1, &turn, 0.2), -1);
    assert_int_equal(turn, 7);
    close(listener);
}

static void without_rank_0_there_is_no_line(void **state)
{
    struct lifeline_offer offer;
    int32_t turn = 7;
    int lines[2];
    double started_s = clock_wall_s();
    (void)state;
    close(offer_here(&offer));
    assert_int_equal(lifeline_connect(&offer, 1, &turn, MOST_S), -1);
    offer.n = 0;
    assert_int_equal(lifeline_connect(&offer, 1, &turn, MOST_S), -1);
    assert_int_equal(lifeline_accept(-1, &offer, lines, 2, MOST_S), 0);
    assert_int_equal(lines[1], -1);
    assert_true(clock_wall_s() - started_s < MOST_S);
}

/* What a watch has said. */
struct heard {
    volatile int n_lost, n_told;
    int line;           /* that was lost */
    bool takes_signals; /* the thread that says so */
};

static void count_lost(void *context, int line)
{
    struct heard *heard = context;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    heard->takes_signals = !sigismember(&blocked, SIGTERM);
    heard->line = line;
    heard->n_lost++;
}

static void count_told(void *context)
{
    ((struct heard *)context)->n_told++;
}

static void make_pair(int ends[2])
{
    struct lifeline_offer offer;
    int lines[2], listener = offer_here(&offer);
    struct caller caller = { .rank = 1 };
    begin(&caller, &offer);
    assert_int_equal(lifeline_accept(listener, &offer, lines, 2, MOST_S), 1);
    pthread_join(caller.thread, NULL);
    ends[0] = lines[1];
    ends[1] = caller.line;
}

/* A process that ended, by its own will or not, is not a host that is gone. */
static void lines_that_are_closed_say_nothing(void **state)
{
    struct heard heard = { 0 };
    int closed[2], reset[2], open[2];
    (void)state;
    make_pair(closed);
    make_pair(reset);
    make_pair(open);
    int lines[] = { -1, closed[0], reset[0], open[0] };
    struct watch *watch = watch_start(lines, 4, count_lost, count_told, &heard);
    assert_non_null(watch);
    const struct linger at_once = { .l_onoff = 1 };
    setsockopt(reset[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(closed[1]);
    close(reset[1]);
    assert_int_equal(write(open[1], "?", 1), 1); /* this one is closed by the watch */
    clock_sleep_s(0.2);
    watch_stop(watch);
    assert_int_equal(heard.n_lost + heard.n_told, 0);
    close(open[1]);
}

/*
 * A connection to a host that does not answer, as one is that was cut off: here it is a
 * listener whose queue is full, which drops what knocks, and the kernel knocks only twice.
 * keeps    [2]: what is to be closed with it
 */
static int connect_to_silence(int keeps[2])
{
    struct sockaddr_in here = { .sin_family = AF_INET };
    socklen_t n = sizeof here;
    const int once = 1;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    keeps[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(keeps[0], (struct sockaddr *)&here, n), 0);
    assert_int_equal(listen(keeps[0], 0), 0);
    assert_int_equal(getsockname(keeps[0], (struct sockaddr *)&here, &n), 0);
    keeps[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(keeps[1], (struct sockaddr *)&here, n), 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &once, sizeof once);
    assert_int_equal(connect(fd, (struct sockaddr *)&here, n), -1);
    assert_int_equal(errno, EINPROGRESS);
    return fd;
}

/* More ranks than files may be open: those that no line was made to are not waited for. */
static void a_watch_of_many_ranks_needs_no_file_for_each(void **state)
{
    enum { N = 2000, LINE = 1700, N_FILES = 256 };
    static int lines[N];
    struct heard heard = { 0 };
    struct rlimit limit, few_files;
    int ends[2];
    (void)state;
    make_pair(ends);
    for (int i = 0; i < N; i++)
        lines[i] = i == LINE ? ends[0] : -1;
    getrlimit(RLIMIT_NOFILE, &limit);
    few_files = limit;
    few_files.rlim_cur = N_FILES;
    setrlimit(RLIMIT_NOFILE, &few_files);
    struct watch *watch = watch_start(lines, N, count_lost, count_told, &heard);
    assert_non_null(watch);
    assert_int_equal(write(ends[1], "!", 1), 1);
    for (double until_s = clock_wall_s() + MOST_S;
         heard.n_told == 0 && clock_wall_s() < until_s;)
        clock_sleep_s(0.01);
    watch_stop(watch);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(heard.n_told, 1);
    close(ends[1]);
}

static void a_host_that_is_silent_is_lost_and_all_others_are_told(void **state)
{
    struct heard heard = { 0 };
    int keeps[2], ends[2][2];
    (void)state;
    make_pair(ends[0]);
    make_pair(ends[1]);
    int lines[] = { ends[0][0], -1, connect_to_silence(keeps), ends[1][0] };
    struct watch *watch = watch_start(lines, 4, count_lost, count_told, &heard);
    assert_non_null(watch);
    for (double until_s = clock_wall_s() + MOST_S;
         heard.n_lost == 0 && clock_wall_s() < until_s;)
        clock_sleep_s(0.01);
    watch_stop(watch);
    assert_int_equal(heard.n_lost, 1);
    assert_int_equal(heard.n_told, 0);
    assert_int_equal(heard.line, 2);
    assert_false(heard.takes_signals);
    for (int i = 0; i < 2; i++) {
        char byte[2] = "";
        assert_int_equal(read(ends[i][1], byte, 2), 1);
        assert_int_equal(byte[0], '!');
        close(ends[i][1]);
        close(keeps[i]);
    }
}

static void what_another_rank_knows_is_told(void **state)
{
    struct heard heard = { 0 };
    int ends[2];
    (void)state;
    make_pair(ends);
    struct watch *watch = watch_start(ends, 1, count_lost, count_told, &heard);
    assert_int_equal(write(ends[1], "!", 1), 1);
    for (double until_s = clock_wall_s() + MOST_S;
         heard.n_told == 0 && clock_wall_s() < until_s;)
        clock_sleep_s(0.01);
    watch_stop(watch);
    assert_int_equal(heard.n_told, 1);
    assert_int_equal(heard.n_lost, 0);
    close(ends[1]);
}

static void without_lines_there_is_nothing_to_watch(void **state)
{
    const int lines[] = { -1, -1 };
    (void)state;
    assert_null(watch_start(lines, 2, count_lost, count_told, NULL));
    assert_null(watch_start(NULL, 0, count_lost, count_told, NULL));
    watch_stop(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_files, compare_files)
    const struct CMUnitTest tests[] = {
        TEST(every_rank_has_a_line_and_no_stranger),
        TEST(a_rank_that_is_not_expected_is_sent_away),
        TEST(a_rank_has_one_line),
        TEST(another_token_is_sent_away),
        TEST(who_answers_with_another_token_is_not_rank_0),
        TEST(who_does_not_answer_is_given_up),
        TEST(without_rank_0_there_is_no_line),
        TEST(lines_that_are_closed_say_nothing),
        TEST(a_watch_of_many_ranks_needs_no_file_for_each),
        TEST(a_host_that_is_silent_is_lost_and_all_others_are_told),
        TEST(what_another_rank_knows_is_told),
        TEST(without_lines_there_is_nothing_to_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
