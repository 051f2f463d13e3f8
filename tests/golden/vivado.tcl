puts "XNORFLOW STEP synthesise"
create_project -in_memory -part xc7z010clg400-1
add_files hls/solution1/syn/verilog
read_xdc -mode out_of_context clock.xdc
synth_design -mode out_of_context -top net -part xc7z010clg400-1
report_utilization -file net_utilization_synth.rpt
report_timing_summary -file net_timing_synth.rpt
puts "XNORFLOW STEP place"
opt_design
place_design
puts "XNORFLOW STEP route"
route_design
report_utilization -file net_utilization_routed.rpt
report_timing_summary -file net_timing_routed.rpt
report_power -file net_power_routed.rpt
puts "XNORFLOW DONE"
exit 0
