/* Connection strings: no password that libpq would read out of one is left in it. */
#include <stdbool.h>

#include <libpq-fe.h>

#include "rooftally/job/job.h"

#include "fuzz.h"

static void seeds(void)
{
    static const char *const texts[] = {
        "host=h password=SECRETSECRET user=u",
        "password = 'SECRET\\'SECRET' sslpassword=ABCDEFGHIJ",
        "postgresql://u:SECRETSECRET@host:5432,other/db?sslmode=disable",
        "postgres://u@h/db?password=SECRETSECRET&application_name=x",
        "postgresql://?user=u&pass%77ord=SECRET%20SECRET",
        "service=gis passfile=/home/u/.pgpass",
        "dbname=postgresql://u:SECRETSECRET@h/db",
        "postgresql:///db?host=/tmp&sslpassword=ABCDEFGHIJ",
        "postgresql://[::1]:1,[::2]/a?options=-c%20x",
        "postgresql:///db?host=/t:u@d&sslpassword=ABCDEFGHIJ",
        "postgresql://[?passfile]/?password=SECRETSECRET",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        seed_text(texts[i]);
}

static bool is_secret(const PQconninfoOption *option)
{
    return strcmp(option->keyword, "password") == 0
           || strcmp(option->keyword, "sslpassword") == 0;
}

/* Whether the value stands somewhere else as well, where it is no secret: once more in the
 * text, or in another option, which may be written otherwise (%20). */
static bool
is_elsewhere(const char *text, const PQconninfoOption *options, const char *value)
{
    for (const PQconninfoOption *o = options; o->keyword; o++)
        if (o->val && !is_secret(o) && strstr(o->val, value))
            return true;
    const char *first = strstr(text, value);
    return (first && strstr(first + 1, value)) || strstr("***", value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *text = malloc(n + 1);
    memcpy(text, bytes, n);
    text[n] = '\0';
    char *redacted = job_redact(text);
    must(redacted);
    PQconninfoOption *options = PQconninfoParse(text, NULL);
    for (PQconninfoOption *o = options; o && o->keyword; o++)
        if (o->val && strlen(o->val) >= 6 && is_secret(o)
            && !is_elsewhere(text, options, o->val))
            must(!strstr(redacted, o->val));
    PQconninfoFree(options);
    size_t n_text = strlen(text);
    job_redact_message(text);
    must(strlen(text) <= n_text);
    free(redacted);
    free(text);
    return 0;
}
