# Stands in for Vivado HLS, Vitis HLS and Vivado: runs a script, records its commands in FAKE_RECORD and
# lays down reports from FAKE_REPORTS. FAKE_MODE says what goes wrong, FAKE_STEP at which step. One that
# hangs leaves its process id and its child's in FAKE_IDS.
set record [open $env(FAKE_RECORD) a]
set top ""
set sources {}
set folders {}
set state ""
proc note {args} {
    global record
    puts $record $args
    flush $record
}
proc trouble {step} {
    global env
    if {$env(FAKE_STEP) ne $step} {
        return
    }
    switch $env(FAKE_MODE) {
        fail { error "something broke" }
        licence { puts "ERROR: \[Common 17-345\] A valid license was not found for feature 'HLS' and/or device"; exit 1 }
        memory { puts "terminate called after throwing an instance of 'std::bad_alloc'"; exit 134 }
        disk { puts "error writing \"file5\": no space left on device"; exit 1 }
        part { puts "ERROR: \[HLS 200-1023\] Part 'xc7z010clg400-1' is not installed."; exit 1 }
        oom { exec kill -9 [pid] }
        crash { exec kill -11 [pid] }
        full { puts "ERROR: \[DRC UTLZ-1\] Resource utilization: Slice LUTs over-utilized in Top Level Design"; exit 1 }
        hang {
            set ids [open $env(FAKE_IDS).part w]
            puts $ids "[pid] [exec sleep 600 &]"
            close $ids
            file rename $env(FAKE_IDS).part $env(FAKE_IDS)
            after 600000
        }
        garbage { for {set i 0} {$i < 2000} {incr i} { puts "\x01\x02\xff [string repeat {%s } 50]" }; exit 3 }
    }
}
proc lay {name target} {
    global env state
    if {$env(FAKE_MODE) eq "noreport"} {
        return
    }
    set from [open [file join $env(FAKE_REPORTS) $name]]
    set text [read $from]
    close $from
    if {$env(FAKE_MODE) eq "cutreport"} {
        set text [string range $text 0 [expr {[string length $text] / 2}]]
    }
    if {$env(FAKE_MODE) eq "garbagereport"} {
        set text "\x7fELF\x00\x00[string repeat "\x00\x13" 500]"
    }
    if {$state ne ""} {
        regsub {Design State : [^\n]*} $text "Design State : $state" text
    }
    file mkdir [file dirname $target]
    set to [open $target w]
    puts -nonewline $to $text
    close $to
}
foreach name {open_project open_solution set_part create_clock config_compile config_array_partition
        create_project read_xdc opt_design} {
    proc $name {args} "note $name {*}\$args"
}
proc set_top {name} { global top; set top $name; note set_top $name }
proc add_files {args} {
    global sources folders
    note add_files {*}$args
    foreach word $args {
        if {[string match *.cpp $word]} { lappend sources $word }
        if {[file isdirectory $word]} { lappend folders $word }
    }
}
proc csim_design {args} {
    global sources folders
    note csim_design {*}$args
    trouble csim
    set build hls/solution1/csim/build
    file mkdir $build
    foreach folder $folders { file copy -force $folder $build }
    # the tool has headers of its own for ap_int and ap_fixed
    set headers [file join [file dirname [lindex $sources 0]] ap_types]
    set here [pwd]
    cd $build
    exec g++ -std=c++11 -w -I$headers -o csim.exe {*}$sources >@ stdout 2>@ stdout
    exec ./csim.exe >@ stdout 2>@ stdout
    cd $here
}
proc csynth_design {args} {
    global top
    note csynth_design {*}$args
    trouble csynth
    lay csynth.rpt hls/solution1/syn/report/${top}_csynth.rpt
    lay csynth.xml hls/solution1/syn/report/${top}_csynth.xml
}
proc cosim_design {args} { note cosim_design {*}$args; trouble cosim }
proc export_design {args} { note export_design {*}$args; trouble export }
proc reach {command step from to} {
    global state
    note {*}$command
    if {$state ne $from} {
        error "ERROR: \[Common 17-69\] Command failed: the design is '$state', not '$from'"
    }
    trouble $step
    set state $to
}
proc synth_design {args} { reach "synth_design $args" synthesise "" Synthesized }
proc place_design {args} { reach "place_design $args" place Synthesized "Fully Placed" }
proc route_design {args} { reach "route_design $args" route "Fully Placed" Routed }
proc report_utilization {dash file} { note report_utilization $dash $file; lay flat.rpt $file }
proc report_timing_summary {dash file} { note report_timing_summary $dash $file; lay timing.rpt $file }
proc report_power {dash file} { note report_power $dash $file; lay power.rpt $file }
# the tools end a script that fails with its message alone, not with Tcl's trace
if {[catch {source $env(FAKE_SCRIPT)} message]} {
    puts "ERROR: $message"
    exit 1
}
