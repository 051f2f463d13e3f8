proc xnorflow_step {name body} {
    puts "XNORFLOW STEP $name"
    flush stdout
    if {[catch {uplevel 1 $body} message]} {
        puts "XNORFLOW FAILED $name: $message"
        exit 2
    }
}
open_project -reset hls
set_top net
add_files /projects/net/firmware/net.cpp -cflags "-std=c++0x"
add_files -tb /projects/net/net_test.cpp -cflags "-std=c++0x"
add_files -tb /projects/net/firmware/weights
add_files -tb /projects/net/tb_data
open_solution -reset -flow_target vivado solution1
set_part xc7z010clg400-1
create_clock -period 10.000 -name default
config_compile -name_max_length 80
xnorflow_step csim {csim_design}
xnorflow_step csynth {csynth_design}
xnorflow_step cosim {add_files -tb /projects/net/net_test.cpp -cflags "-std=c++0x -DRTL_SIM"; cosim_design -rtl verilog}
xnorflow_step export {export_design -format ip_catalog}
puts "XNORFLOW DONE"
exit 0
