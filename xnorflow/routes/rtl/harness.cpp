// Feeds images to the Verilated network and writes down every result with its cycles.
//
// Arguments are KEY=VALUE, each key once; all but trace must be there.
//   input:        file with the beats of all images, one after the other
//   output:       file that takes the results
//   images:       how many images
//   beats:        beats per image
//   beat_bytes:   bytes per beat
//   result_bytes: bytes per result
//   seed:         of the random numbers, and of the registers' contents at power-up
//   gap, stall:   of 256, how often the source has no beat and the sink is not ready
//   reset_every:  a reset after so many cycles, again and again until 16 are done; 0 for none.
//                 Images without a result by then are sent again.
//   first_beats:  beats of the first image, too few or too many; 0 for as many as there should be
//   trace:        VCD file, in a program compiled with XNF_TRACE
// Output per image: the result's bytes, then three 64-bit cycle numbers: first beat taken, last
// beat taken, result taken. Where no result comes for too long, it ends with those that came.
// Exit code 2: wrong arguments or files; 4: wrong tlast or frame_error.
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
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

[[noreturn]] static void refuse(const std::string& what) {
    fprintf(stderr, "harness: %s\n", what.c_str());
    exit(2);
}

static const char* const KEYS[] = {"input", "output", "images", "beats", "beat_bytes", "result_bytes", "seed",
                                   "gap", "stall", "reset_every", "first_beats", "trace"};

class Arguments {
    std::map<std::string, std::string> values;

public:
    Arguments(int argc, char** argv) {
        for (int i = 1; i < argc; i++) {
            const std::string text = argv[i];
            const size_t end = text.find('=');
            if (end == std::string::npos) refuse("arguments must be KEY=VALUE, got " + text);
            const std::string key = text.substr(0, end);
            bool known = false;
            for (const char* name : KEYS) known |= key == name;
            if (!known) refuse("unknown argument " + key);
            if (!values.emplace(key, text.substr(end + 1)).second) refuse(key + " is given twice");
        }
    }
    std::string text(const std::string& key) const {
        const auto found = values.find(key);
        if (found == values.end() || found->second.empty()) refuse(key + " is missing; give " + key + "=VALUE");
        return found->second;
    }
    uint64_t number(const std::string& key, uint64_t most = UINT64_MAX) const {
        const std::string value = text(key);
        const bool digits = value.find_first_not_of("0123456789") == std::string::npos;
        errno = 0;
        const uint64_t result = strtoull(value.c_str(), nullptr, 10);
        if (!digits || errno || result > most)
            refuse(key + " must be a whole number up to " + std::to_string(most) + ", got " + value);
        return result;
    }
};

int main(int argc, char** argv) {
    const Arguments arguments(argc, argv);
    const std::string output_name = arguments.text("output");
    const uint64_t images = arguments.number("images"), beats = arguments.number("beats");
    const uint64_t reset_every = arguments.number("reset_every"), first_beats = arguments.number("first_beats");
    const unsigned gap = arguments.number("gap", 256), stall = arguments.number("stall", 256);
    random_state = arguments.number("seed") * 2654435761ULL + 1;
    VerilatedContext context;
    context.commandArgs(argc, argv);
    context.randReset(2);
    context.randSeed(static_cast<int>(random_state >> 33) | 1);
#ifdef XNF_TRACE
    context.traceEverOn(true);
#endif
    Vxnf_top top(&context);
    const size_t beat_bytes = arguments.number("beat_bytes", sizeof top.s_axis_tdata);
    const size_t result_bytes = arguments.number("result_bytes", sizeof top.m_axis_tdata);
    const std::vector<uint8_t> input = read_all(arguments.text("input").c_str());
    if (input.size() != images * beats * beat_bytes)
        refuse("input has " + std::to_string(input.size()) + " bytes, but images x beats x beat_bytes are " +
               std::to_string(images * beats * beat_bytes));
    FILE* output = fopen(output_name.c_str(), "wb");
    if (!output) { perror(output_name.c_str()); return 2; }
#ifdef XNF_TRACE
    VerilatedVcdC vcd;
    top.trace(&vcd, 99);
    vcd.open(arguments.text("trace").c_str());
#endif

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
        if (valid) memcpy(&top.s_axis_tdata, &input[(image * beats + beat % beats) * beat_bytes], beat_bytes);
        const uint64_t frame = image == 0 && first_beats ? first_beats : beats;
        top.s_axis_tlast = beat == frame - 1;
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
                if (++beat == frame) { last[image++] = cycle; beat = 0; }
                offered = false;
            }
            if (top.m_axis_tvalid && top.m_axis_tready) {
                if (!top.m_axis_tlast || top.frame_error != (first_beats && first_beats != beats)) { fprintf(stderr, "harness: wrong tlast or frame_error\n"); return 4; }
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
            break;
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
