// Feeds images to the Verilated network and writes down every result with its cycles.
//
// argv: input output images beats beat_bytes result_bytes seed gap stall reset_every trace
//   gap, stall:  of 256, how often the source has no beat and the sink is not ready
//   reset_every: a reset after so many cycles, again and again until 16 are done; 0 for none.
//                Images without a result by then are sent again.
//   trace:       VCD file, or "-"
// Output per image: the result's bytes, then three 64-bit cycle numbers: first beat taken, last
// beat taken, result taken. Exit code 3: no result for too long; 4: wrong tlast or frame_error.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "Vxnf_top.h"
#include "verilated.h"
#ifdef XNF_TRACE
#include "verilated_vcd_c.h"
#endif

static uint64_t random_state;

static unsigned random_byte() {
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<unsigned>(random_state >> 56);
}

static std::vector<uint8_t> read_all(const char* name) {
    FILE* file = fopen(name, "rb");
    if (!file) { perror(name); exit(2); }
    std::vector<uint8_t> bytes;
    uint8_t block[65536];
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;) bytes.insert(bytes.end(), block, block + n);
    fclose(file);
    return bytes;
}

int main(int argc, char** argv) {
    if (argc < 12) { fprintf(stderr, "harness: too few arguments\n"); return 2; }
    const std::vector<uint8_t> input = read_all(argv[1]);
    const uint64_t images = strtoull(argv[3], nullptr, 10), beats = strtoull(argv[4], nullptr, 10);
    const size_t beat_bytes = strtoul(argv[5], nullptr, 10), result_bytes = strtoul(argv[6], nullptr, 10);
    random_state = strtoull(argv[7], nullptr, 10) * 2654435761ULL + 1;
    const unsigned gap = atoi(argv[8]), stall = atoi(argv[9]);
    const uint64_t reset_every = strtoull(argv[10], nullptr, 10);
    VerilatedContext context;
    context.commandArgs(argc, argv);
    context.randReset(2);
    context.randSeed(static_cast<int>(random_state >> 33) | 1);
#ifdef XNF_TRACE
    context.traceEverOn(true);
#endif
    Vxnf_top top(&context);
#ifdef XNF_TRACE
    VerilatedVcdC vcd;
    top.trace(&vcd, 99);
    vcd.open(argv[11]);
#endif
    if (input.size() < images * beats * beat_bytes) { fprintf(stderr, "harness: input too short\n"); return 2; }
    FILE* output = fopen(argv[2], "wb");
    if (!output) { perror(argv[2]); return 2; }

    uint64_t image = 0, beat = 0, done = 0, last_progress = 0, resets = 0, tick = 0;
    std::vector<uint64_t> first(images), last(images);
    bool offered = false;
    const uint64_t patience = 4000000;
    for (uint64_t cycle = 0; done < images; cycle++) {
        const bool again = reset_every && resets < 16 && cycle > 4 && cycle % reset_every == 0;
        const bool reset = cycle < 4 || again;
        resets += again;
        if (!offered) offered = image < images && random_byte() >= gap;
        const bool valid = offered && !reset;
        top.rst = reset;
        top.s_axis_tvalid = valid;
        if (valid) memcpy(&top.s_axis_tdata, &input[(image * beats + beat) * beat_bytes], beat_bytes);
        top.s_axis_tlast = beat == beats - 1;
        top.m_axis_tready = random_byte() >= stall;
        top.clk = 0;
        top.eval();
#ifdef XNF_TRACE
        vcd.dump(tick++);
#endif
        if (reset) {
            image = done; beat = 0; offered = false; last_progress = cycle;
        } else {
            if (valid && top.s_axis_tready) {
                if (beat == 0) first[image] = cycle;
                if (++beat == beats) { last[image++] = cycle; beat = 0; }
                offered = false;
            }
            if (top.m_axis_tvalid && top.m_axis_tready) {
                if (!top.m_axis_tlast || top.frame_error) { fprintf(stderr, "harness: wrong tlast or frame_error\n"); return 4; }
                const uint64_t times[3] = {first[done], last[done], cycle};
                fwrite(&top.m_axis_tdata, 1, result_bytes, output);
                fwrite(times, sizeof times, 1, output);
                done++;
                last_progress = cycle;
            }
        }
        if (cycle - last_progress > patience) {
            fprintf(stderr, "harness: no result for %llu cycles, %llu of %llu images done\n",
                    (unsigned long long)patience, (unsigned long long)done, (unsigned long long)images);
            return 3;
        }
        top.clk = 1;
        top.eval();
#ifdef XNF_TRACE
        vcd.dump(tick++);
#endif
    }
    (void)tick;
    top.final();
#ifdef XNF_TRACE
    vcd.close();
#endif
    return fclose(output) == 0 ? 0 : 2;
}
