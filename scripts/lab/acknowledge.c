/* Preloaded into keepalived where the kernel has no IPVS: every request of its checkers to IPVS is acknowledged and none
 * is sent, so that the rest of what they do can be measured on any kernel. */

enum { FINISH = 1, ACK = 4 }; /* libnl's enum nl_cb_type */

typedef int callback(void *message, void *argument);

static struct { callback *call; void *argument; } told[ACK + 1];

int genl_ctrl_resolve(void *socket, const char *family) {
    (void)socket, (void)family;
    return 42; /* any number of a family */
}

int nl_socket_modify_cb(void *socket, unsigned type, int kind, callback *call, void *argument) {
    (void)socket, (void)kind;
    if (type <= ACK) {
        told[type].call = call;
        told[type].argument = argument;
    }
    return 0;
}

int nl_send_auto(void *socket, void *message) {
    (void)socket, (void)message;
    return 1;
}

int nl_recvmsgs_default(void *socket) {
    (void)socket;
    if (told[ACK].call) told[ACK].call(0, told[ACK].argument);
    if (told[FINISH].call) told[FINISH].call(0, told[FINISH].argument);
    return 0;
}
