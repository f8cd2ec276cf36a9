/* A virtual microphone for ALSA: what the rig writes into a ring of shared memory, delivered as a sound card would.
 *
 * hil/mouth/ring.py writes the ring and explains its header. The card has a crystal of its own: frame n reaches the
 * microphone at opened_ns + n / rate_hz of CLOCK_MONOTONIC, with a rate that differs from the nominal one, and can be
 * read latency_ns later. A frame that the rig has not written by then is silence. A ring without `plugged` is a card that
 * was pulled out.
 *
 *     pcm_type.rig_microphone { lib "/.../libasound_module_pcm_rig_microphone.so" }
 *     pcm.microphone { type rig_microphone  ring "/.../ring" }
 */
#define _GNU_SOURCE
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "MIENMIC1"
#define TICK_NS 5000000

struct ring {
    char magic[8];
    double rate_hz;
    int64_t opened_ns;
    int64_t latency_ns;
    uint64_t written;
    uint32_t frames;
    uint32_t nominal_hz;
    uint32_t plugged;
    uint32_t unused[3];
    int16_t sound[];
};

struct card {
    snd_pcm_ioplug_t io;
    const struct ring *ring;
    size_t bytes;
    int64_t first; /* of the ring's frames, the first of this run */
    int64_t taken; /* of this run */
    int64_t last;  /* the position that was told last */
};

static int64_t now_frame(const struct ring *ring) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - ring->opened_ns - ring->latency_ns;
    return ns < 0 ? 0 : (int64_t)floor((double)ns * 1e-9 * ring->rate_hz);
}

static int start(snd_pcm_ioplug_t *io) {
    struct card *card = io->private_data;
    card->first = now_frame(card->ring);
    card->taken = card->last = 0;
    return 0;
}

static int stop(snd_pcm_ioplug_t *io) {
    (void)io;
    return 0;
}

static snd_pcm_sframes_t pointer(snd_pcm_ioplug_t *io) {
    struct card *card = io->private_data;
    if (!__atomic_load_n(&card->ring->plugged, __ATOMIC_ACQUIRE)) {
        snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
        return card->last % io->buffer_size;
    }
    int64_t position = now_frame(card->ring) - card->first;
    if (position - card->taken > (int64_t)io->buffer_size)
        return -EPIPE;
    card->last = position;
    return position % io->buffer_size;
}

static snd_pcm_sframes_t transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
                                  snd_pcm_uframes_t size) {
    struct card *card = io->private_data;
    const struct ring *ring = card->ring;
    int16_t *to = (int16_t *)((char *)areas->addr + (areas->first + areas->step * offset) / 8);
    int64_t written = (int64_t)__atomic_load_n(&ring->written, __ATOMIC_ACQUIRE);
    for (snd_pcm_uframes_t frame = 0; frame < size; frame++) {
        int64_t at = card->first + card->taken + (int64_t)frame;
        int known = at < written && at >= written - (int64_t)ring->frames;
        to[frame] = known ? ring->sound[at % ring->frames] : 0;
    }
    card->taken += (int64_t)size;
    return size;
}

static int let_go(snd_pcm_ioplug_t *io) {
    struct card *card = io->private_data;
    if (io->poll_fd >= 0)
        close(io->poll_fd);
    munmap((void *)card->ring, card->bytes);
    free(card);
    return 0;
}

static int revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned int count, unsigned short *found) {
    uint64_t ticks;
    *found = 0;
    if (count == 1 && fds[0].revents & POLLIN && read(io->poll_fd, &ticks, sizeof ticks) > 0) {
        snd_pcm_sframes_t waiting = snd_pcm_avail_update(io->pcm);
        if (waiting < 0 || (snd_pcm_uframes_t)waiting >= io->period_size)
            *found = POLLIN;
    }
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = start, .stop = stop, .pointer = pointer, .transfer = transfer, .close = let_go, .poll_revents = revents};

static int limit(snd_pcm_ioplug_t *io, unsigned int rate_hz) {
    static const unsigned int accesses[] = {SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED};
    static const unsigned int format = SND_PCM_FORMAT_S16_LE;
    int error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 2, accesses);
    if (!error)
        error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, &format);
    if (!error)
        error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, 1, 1);
    if (!error)
        error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, rate_hz, rate_hz);
    if (!error)
        error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 128, 1 << 16);
    if (!error)
        error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 256, 1 << 18);
    return error;
}

/* Map the ring. Returns 0, or -errno: -ENODEV while the card is pulled out. */
static int map(struct card *card, const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT ? -ENODEV : -errno;
    struct stat about;
    void *ring = MAP_FAILED;
    if (!fstat(file, &about) && (size_t)about.st_size > sizeof(struct ring)) {
        card->bytes = about.st_size;
        ring = mmap(NULL, card->bytes, PROT_READ, MAP_SHARED, file, 0);
    }
    close(file);
    if (ring == MAP_FAILED)
        return -ENODEV;
    card->ring = ring;
    if (memcmp(card->ring->magic, MAGIC, 8) || !card->ring->plugged || !card->ring->frames ||
        sizeof(struct ring) + card->ring->frames * sizeof(int16_t) > card->bytes) {
        munmap(ring, card->bytes);
        return -ENODEV;
    }
    return 0;
}

static int path_of(snd_config_t *conf, const char **path) {
    snd_config_iterator_t at, next;
    *path = NULL;
    snd_config_for_each(at, next, conf) {
        snd_config_t *entry = snd_config_iterator_entry(at);
        const char *id;
        if (!snd_config_get_id(entry, &id) && !strcmp(id, "ring"))
            snd_config_get_string(entry, path);
    }
    return *path ? 0 : -EINVAL;
}

SND_PCM_PLUGIN_DEFINE_FUNC(rig_microphone) {
    const char *path;
    (void)root;
    if (stream != SND_PCM_STREAM_CAPTURE)
        return -EINVAL;
    int error = path_of(conf, &path);
    if (error)
        return error;
    struct card *card = calloc(1, sizeof *card);
    if (!card)
        return -ENOMEM;
    error = map(card, path);
    if (error) {
        free(card);
        return error;
    }
    struct itimerspec ticks = {{0, TICK_NS}, {0, TICK_NS}};
    card->io.version = SND_PCM_IOPLUG_VERSION;
    card->io.name = "microphone of the rig";
    card->io.flags = SND_PCM_IOPLUG_FLAG_MONOTONIC;
    card->io.callback = &callbacks;
    card->io.private_data = card;
    card->io.poll_events = POLLIN;
    card->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (card->io.poll_fd < 0)
        error = -errno;
    else if (timerfd_settime(card->io.poll_fd, 0, &ticks, NULL))
        error = -errno;
    if (!error)
        error = snd_pcm_ioplug_create(&card->io, name, stream, mode);
    if (error) {
        let_go(&card->io);
        return error;
    }
    error = limit(&card->io, card->ring->nominal_hz);
    if (error) {
        snd_pcm_ioplug_delete(&card->io);
        return error;
    }
    *pcmp = card->io.pcm;
    return 0;
}

SND_PCM_PLUGIN_SYMBOL(rig_microphone)
