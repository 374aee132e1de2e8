#include <stdbool.h>
#include <stdlib.h>

#include "check.h"
#include "hint.h"

static void commands_can_be_pasted(void **state)
{
    (void)state;
    static const struct {
        const char *job, *overrides[3], *wanted;
        bool force;
    } cases[] = {
        { "state.ini",
          { NULL },
          "rooftally stage state.ini -o state.store.h5 && rooftally run state.ini "
          "--set source.kind=store --set source.path=state.store.h5",
          false },
        { "/data/my jobs/state",
          { "job.output=o.h5", "buildings.where=use = 'house'" },
          "rooftally stage '/data/my jobs/state' "
          "--set 'buildings.where=use = '\\''house'\\''' -o state.store.h5 && "
          "rooftally run '/data/my jobs/state' -o o.h5 "
          "--set 'buildings.where=use = '\\''house'\\''' "
          "--set source.kind=store --set source.path=state.store.h5",
          false },
        { "a b.ini",
          { "source.connection=host=h password=hunter2", "zones.path=PG:password=x" },
          "rooftally stage 'a b.ini' --set 'source.connection=host=h password=***' "
          "--set 'zones.path=***' -o 'a b.store.h5' && rooftally run 'a b.ini' "
          "--set 'source.connection=host=h password=***' --set 'zones.path=***' "
          "--set source.kind=store --set source.path='a b.store.h5'",
          false },
        { "state.ini",
          { "job.output=o.h5" },
          "rooftally stage state.ini -o state.store.h5 && rooftally run state.ini "
          "-o o.h5 --force --set source.kind=store --set source.path=state.store.h5",
          true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options options = { .job_path = cases[i].job, .force = cases[i].force };
        const char *overrides[3];
        for (; options.n_overrides < 3 && cases[i].overrides[options.n_overrides];)
            overrides[options.n_overrides] = cases[i].overrides[options.n_overrides],
            options.n_overrides++;
        options.overrides = overrides;
        char *hint = hint_stage(&options, "run");
        assert_string_equal(hint, cases[i].wanted);
        free(hint);
    }
}

/* What a shell makes of a quoted word is the word. */
static void a_word_comes_out_of_the_shell_as_it_went_in(void **state)
{
    (void)state;
    static const char *const words[] = { "plain-1.ini", "",       "a b",  "it's",
                                         "$HOME `id`",  "a\\b\"", "*?;&", "Zürich" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char command[200] = "printf %s ", read[100] = "";
        FILE *out = fmemopen(command + strlen(command), 180, "w");
        hint_put_word(words[i], out);
        fclose(out);
        FILE *shell = popen(command, "r");
        assert_non_null(shell);
        (void)!fread(read, 1, sizeof read - 1, shell);
        pclose(shell);
        assert_string_equal(read, words[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_can_be_pasted),
        cmocka_unit_test(a_word_comes_out_of_the_shell_as_it_went_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
