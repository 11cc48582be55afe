#include "prescreen/base/bug.h"
#include "prescreen/os/sandbox.h"

/* Apart from the steps themselves: a parent names them without linking what takes them. */
static const char *const step_names[SANDBOX_STEP_COUNT] = {
    [SANDBOX_NO_NEW_PRIVS] = "no_new_privs", [SANDBOX_CAPABILITIES] = "capabilities",
    [SANDBOX_PARENT_DEATH] = "parent_death", [SANDBOX_DUMPABLE] = "dumpable",
    [SANDBOX_RLIMITS] = "rlimits",           [SANDBOX_LANDLOCK] = "landlock",
    [SANDBOX_SECCOMP] = "seccomp",
};

const char *sandbox_step_name(enum sandbox_step step)
{
    BUG_ON((int)step < 0 || step >= SANDBOX_STEP_COUNT);
    return step_names[step];
}
