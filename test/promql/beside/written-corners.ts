/**
 * Queries about the corners of the language, by what they try. Where 2.42 does otherwise than 3 they keep away: windows have no sample on
 * their edge, what is ranked has no equals, and nothing has the deviation of NaN.
 */

export const corners: readonly string[] = `
{cluster="alex",__name__!~"flops_.*|net_.*"}
{__name__=~"temp|job_count",hostname!="an1",hostname!="fn2"}
flops_any{type_id=~"[1-3]",type_id!="2"}
flops_any{hostname=~"an1|an3",type_id!~"1|2"}
cpu_load{hostname=~"(?i:AN1)"}
cpu_load{hostname=~"[af]n[^13]"}
cpu_load{hostname=~".+n\\\\d"}
cpu_load{nothing=""}
cpu_load{nothing!=""}
cpu_load{nothing=~".*"}
temp{type_id=""}
cpu_load{type_id=""}
cpu_load{cluster=~"alex|"}
cpu_load{cluster=~""}
cpu_load{hostname='an2'}
cpu_load{hostname=\`fn1\`}
cpu_load offset 1h
cpu_load offset 2m35s
cpu_load offset -1h
mem_used offset 4m55s
sum(cpu_load) - sum(cpu_load offset 5m)
cpu_load{hostname="an3"} offset 3m
cpu_load{hostname="an3"} or cpu_load{hostname="an3"} offset 10m
count(cpu_load{hostname=~".n3"})
count_over_time(cpu_load{hostname="fn3"}[20m])
absent(cpu_load{hostname="an3"})
absent_over_time(cpu_load{hostname="an3"}[2m])
absent_over_time(cpu_load{hostname="an3"}[5m])
present_over_time(cpu_load{hostname="an3"}[2m])
changes(cpu_load{hostname="an3"}[15m])
delta(cpu_load{hostname=~".n3"}[12m])
deriv(cpu_load{hostname=~".n3"}[40m])
time() - timestamp(cpu_load{hostname="an3"})
max_over_time((time() - timestamp(cpu_load{hostname="an3"}))[30m3s:1m])
last_over_time(cpu_load{hostname="an3"}[20m]) - cpu_load{hostname="an3"}
count(flops_any{type_id="3"}) by (cluster)
cpu_load @ start() - cpu_load @ end()
sum(cpu_load @ start())
rate(net_bytes_total[10m] @ end())
avg_over_time(cpu_load[30m] @ start() offset 10m)
max_over_time(cpu_load[30m] offset 10m @ end())
sum_over_time(sum(cpu_load @ start())[10m3s:1m])
max_over_time(sum(cpu_load)[20m3s:2m] @ end())
min_over_time(sum by (cluster) (cpu_load)[20m3s:2m] offset 30m)
cpu_load / ignoring () cpu_load @ end()
cpu_load - on (cluster, hostname) cpu_load @ start()
rate(net_bytes_total{hostname="an2"}[5m])
rate(net_bytes_total{hostname="an2"}[1h])
increase(net_bytes_total{hostname=~".n2"}[2h])
irate(net_bytes_total{hostname="fn2"}[3m])
resets(net_bytes_total{hostname="an2"}[1h])
sum by (hostname) (resets(net_bytes_total[2h]))
max_over_time(resets(net_bytes_total[1h])[30m3s:5m])
delta(net_bytes_total{hostname="an2"}[1h15m])
idelta(net_bytes_total[3m])
changes(net_bytes_total[10m])
rate(net_bytes_total[1m5s])
rate(net_bytes_total[2m])
increase(net_bytes_total[59m55s])
sum(increase(net_bytes_total[1h])) / 3600
sum(rate(net_bytes_total[10m])) by (cluster) > 100
topk(2, sum by (hostname) (rate(net_bytes_total[30m])))
quantile(0.5, rate(net_bytes_total[10m]))
rate(sum(net_bytes_total)[10m3s:1m])
irate(sum by (cluster) (net_bytes_total)[10m3s:1m])
deriv(net_bytes_total{hostname="an1"}[30m])
predict_linear(net_bytes_total{hostname="an1"}[30m], 86400)
predict_linear(mem_used[20m], -1200)
predict_linear(mem_used[20m], scalar(sum(job_count)) * 60)
deriv(sum(mem_used)[20m3s:1m])
delta(sum by (cluster) (mem_used)[20m3s:30s])
quantile_over_time(0, cpu_load[1h])
quantile_over_time(1, cpu_load[1h])
quantile_over_time(-1, cpu_load[1h])
quantile_over_time(2, cpu_load[1h])
quantile_over_time(scalar(max(job_count)) / 10, cpu_load[1h])
quantile_over_time(0.25, flops_any{type_id="3"}[45m])
stddev_over_time(flops_any{type_id="3"}[45m])
stdvar_over_time(sum(cpu_load)[30m3s:1m])
avg_over_time(flops_any{type_id="3"}[1h5m])
sum_over_time(job_count[3h])
min_over_time(temp[25m]) == max_over_time(temp[25m])
max_over_time(temp[25m]) - min_over_time(temp[25m])
count_over_time(mem_used[10m]) / count_over_time(cpu_load[10m])
count_over_time({hostname="an1"}[10m])
sum without (type_id) (count_over_time(flops_any[10m]))
last_over_time({cluster="alex",__name__=~"cpu_load|mem_used"}[5m])
max_over_time(max_over_time(cpu_load[10m])[30m3s:5m])
avg_over_time(avg by (cluster) (avg_over_time(flops_any[10m]))[30m3s:5m])
min_over_time(max_over_time(sum(cpu_load)[5m3s:1m])[20m3s:2m])
sum_over_time((cpu_load{hostname="an3"} > 20)[30m3s:1m])
avg_over_time((cpu_load > bool 36)[1h3s:1m])
count_over_time(absent(cpu_load{hostname="an3"})[40m3s:1m])
max_over_time(time()[10m3s:1m])
sum_over_time(vector(1)[10m3s:1m])
count_over_time(vector(time())[1h3s:10m])
rate(vector(time())[10m3s:1m])
last_over_time(hour()[2h3s:30m])
cpu_load[10m3s:1m] offset 5m
quantile(0, flops_any)
quantile(1, flops_any)
quantile(-0.5, flops_any)
quantile(1.5, flops_any)
quantile without (hostname) (0.75, cpu_load)
quantile by (type_id) (0.25, flops_any)
topk(1, cpu_load * 1000 + mem_used)
bottomk without (type_id, type) (1, sum_over_time(flops_any[1h]))
topk(0, cpu_load)
topk(-1, cpu_load)
topk(1000, sum_over_time(flops_any[1h]))
topk(scalar(count(cpu_load)) / 3, sum by (hostname) (sum_over_time(flops_any[1h])))
bottomk(2.9, sum by (hostname) (sum_over_time(flops_any[1h])))
count_values("load", floor(cpu_load / 10))
count_values without (hostname) ("load", floor(cpu_load / 10))
count_values("cluster", job_count)
count_values by (type_id) ("v", round(temp, 10))
stddev by (cluster) (flops_any)
stdvar without (hostname) (temp)
group by (type_id) (flops_any)
group without (type_id) (flops_any) * 3
count without (hostname, type_id) ({__name__=~"flops_any|temp"})
sum by (nothing) (cpu_load)
sum by () (cpu_load)
sum without () (cpu_load)
sum(cpu_load) by (cluster, nothing)
avg by (type) ({cluster="alex"})
min by (__name__) ({cluster="alex",hostname="an1"})
max by (__name__, type) ({cluster="fritz"})
sum(sum by (hostname) (sum by (hostname, type_id) (flops_any)))
avg(count by (cluster) (flops_any))
max(avg by (hostname) (flops_any)) - min(avg by (hostname) (flops_any))
min(cpu_load / 0)
max(0 / (cpu_load - cpu_load))
sum(cpu_load / 0)
avg(-cpu_load / 0)
count(0 / (cpu_load - cpu_load))
cpu_load / (cpu_load - cpu_load)
(cpu_load - cpu_load) / (cpu_load - cpu_load)
-cpu_load / 0
cpu_load % 0
-7.5 % 2
-cpu_load % 7
cpu_load % -7
cpu_load ^ 0.5
(-cpu_load) ^ 0.5
0 ^ 0
2 ^ 3 ^ 2
-2 ^ 2
2 ^ -1
1e308 * 10
0x1F + 017
.5 + 1.e1
1 - -1
1 / 0 > bool 1
Inf - Inf
-Inf == bool -Inf
NaN == bool NaN
NaN != bool NaN
1 == bool 1 + 1
5 > bool 3 > bool 2
1 + 2 - 3 * 4 / 5 % 6 ^ 2
cpu_load + 1 > 20 and mem_used < 100
cpu_load > 10 < 60
cpu_load >= bool 20 == bool 0
20 >= cpu_load
cpu_load == 36
cpu_load != 36
job_count == 2
job_count != bool 2
job_count >= 2 <= 3
cpu_load > on (cluster, hostname) job_count * 10
cpu_load > bool on (cluster, hostname) job_count * 10
flops_any > ignoring (type_id, type) group_left () cpu_load * 10
flops_any > bool on (cluster, hostname) group_left () cpu_load * 10
cpu_load < on (hostname) group_right (cluster) flops_any
temp / on (cluster, hostname) group_left () max by (cluster, hostname) (temp)
temp - ignoring (type_id) group_left () avg without (type_id) (temp)
temp * on (hostname) group_left (cluster) label_replace(cpu_load, "cluster", "c-$1", "cluster", "(.*)")
temp * on (hostname) group_left (nothing) cpu_load
temp * on (hostname) group_left (rack) label_replace(cpu_load, "rack", "r1", "hostname", ".*1")
label_replace(temp, "rack", "old", "", "") * on (hostname) group_left (rack) cpu_load
sum by (hostname) (temp) + on (hostname) group_right () temp
cpu_load * on () group_left () sum(job_count)
cpu_load + on (hostname) temp
temp + on (hostname) group_left () temp
cpu_load * on (cluster) mem_used
cpu_load + on (cluster, hostname) nothing
nothing * on (hostname) temp
cpu_load / ignoring (type) mem_used
cpu_load / ignoring (hostname) mem_used
cpu_load and mem_used
cpu_load and on () vector(1)
cpu_load and on () (vector(1) > 2)
cpu_load unless on () nothing
cpu_load unless mem_used{cluster="alex"}
cpu_load{cluster="alex"} or cpu_load
cpu_load or on (cluster) job_count
cpu_load{hostname="an1"} or on (hostname) mem_used
cpu_load or ignoring (hostname) mem_used
(cpu_load > 60) or on (cluster) (mem_used > 60)
(cpu_load > 30 unless cpu_load > 50) or vector(0)
cpu_load and flops_any
cpu_load and on (hostname) flops_any{type_id="3"} > 500
sum(cpu_load) or vector(0)
sum(nothing) or vector(0)
count(cpu_load > 70) or vector(0)
atan2(1, 2)
sum(cpu_load) atan2 sum(mem_used)
sum by (hostname) (cpu_load) atan2 on (hostname) sum by (hostname) (mem_used)
abs(-cpu_load)
ceil(cpu_load / 7)
floor(-cpu_load / 7)
round(cpu_load / 7, 0.01)
round(-cpu_load / 2)
round(cpu_load, -5)
exp(cpu_load * 100)
ln(cpu_load - 36)
log2(0 * cpu_load)
log10(-cpu_load)
sqrt(36 - cpu_load)
sgn(-cpu_load / 0)
sgn(0 / (cpu_load - cpu_load))
clamp(cpu_load, 40, 20)
clamp(cpu_load, 20, NaN)
clamp_min(cpu_load, scalar(avg(cpu_load)))
clamp_max(cpu_load, NaN)
sin(cpu_load) ^ 2 + cos(cpu_load) ^ 2
acos(cpu_load / 36)
asin(cpu_load / 72)
atanh(cpu_load / 72)
acosh(cpu_load)
sinh(cpu_load / 10)
cosh(cpu_load / 10)
tan(cpu_load)
deg(pi())
rad(cpu_load)
vector(pi())
scalar(vector(3))
scalar(nothing)
scalar(sum(cpu_load)) + cpu_load
vector(scalar(cpu_load{hostname="an1"})) == scalar(cpu_load{hostname="an1"})
cpu_load > scalar(avg(cpu_load))
cpu_load / scalar(sum(cpu_load)) * 100
absent(absent(cpu_load))
absent(cpu_load > 1000)
absent(nothing{a="1",a="2"})
absent(nothing{a="1",b=~"2",c!="3"})
absent(nothing{__name__="nothing",hostname="x"})
absent(nothing or cpu_load)
absent(sum(nothing{a="1"}))
absent_over_time(nothing{a="1",b!="2"}[10m])
absent_over_time(sum(nothing)[10m3s:1m])
absent_over_time(rate(nothing[5m])[10m3s:1m])
timestamp(cpu_load offset 10m)
timestamp(cpu_load @ start())
timestamp(last_over_time(cpu_load[10m]))
timestamp(timestamp(cpu_load))
timestamp(vector(1))
minute(vector(1136239445))
hour(timestamp(cpu_load))
day_of_month(vector(951782400))
day_of_year(vector(1709164800))
day_of_week(vector(0))
days_in_month(vector(951782400))
month(vector(time()))
year(timestamp(cpu_load)) * 100 + month(timestamp(cpu_load))
year()
label_replace(cpu_load, "host", "$1", "hostname", "(.*)")
label_replace(cpu_load, "host", "\${1}x\${2}", "hostname", "(.)n(.)")
label_replace(cpu_load, "host", "$2", "hostname", "(.)(n).")
label_replace(cpu_load, "host", "x", "hostname", "n")
label_replace(cpu_load, "cluster", "", "hostname", ".*")
label_replace(cpu_load, "host", "$3", "hostname", "(.)n(.)")
label_replace(cpu_load, "host", "none", "nothing", "")
label_replace(cpu_load, "__name__", "load", "hostname", ".*")
label_replace(sum(cpu_load), "what", "all", "", "")
label_replace(label_replace(temp, "a", "$1", "hostname", "(.)n."), "b", "$1", "a", "(.)")
label_join(temp, "where", ":", "cluster", "hostname", "type", "type_id")
label_join(temp, "hostname", "")
label_join(temp, "where", ",", "nothing", "hostname")
label_join(sum by (cluster) (temp), "type", "", "cluster", "cluster")
sum by (where) (label_join(flops_any, "where", "/", "cluster", "type_id"))
count by (parity) (label_replace(flops_any, "parity", "even", "type_id", "[02]"))
histogram_quantile(0.9, label_replace(sum_over_time(flops_any[10m]), "le", "$1", "type_id", "(.*)"))
histogram_quantile(0.5, sum by (le, cluster) (label_replace(flops_any, "le", "$1", "type_id", "(.*)")))
histogram_quantile(0.5, label_replace(label_replace(flops_any, "le", "$1", "type_id", "([0-2])"), "le", "+Inf", "type_id", "3"))
histogram_quantile(1, sum by (le) (label_replace(label_replace(flops_any, "le", "$1", "type_id", "([0-2])"), "le", "+Inf", "type_id", "3")))
histogram_quantile(-1, label_replace(label_replace(flops_any, "le", "$1", "type_id", "([0-2])"), "le", "+Inf", "type_id", "3"))
histogram_quantile(2, label_replace(label_replace(flops_any, "le", "$1", "type_id", "([0-2])"), "le", "+Inf", "type_id", "3"))
histogram_quantile(0.9, cpu_load)
sort(sum by (hostname) (sum_over_time(flops_any[1h])))
sort_desc(sum by (hostname) (sum_over_time(flops_any[1h])))
sum(
  cpu_load # the load
) by (cluster)
SUM BY (cluster) (cpu_load)
cpu_load AND ON (hostname) mem_used
-cpu_load ^ 2
- - cpu_load
+(-cpu_load)
(((cpu_load)))
-sum(cpu_load) + -1
"text"
cpu_load + "text"
sum(1)
rate(cpu_load)
cpu_load[5m] + 1
cpu_load offset
label_replace(cpu_load, "a", "b", "c", "(")
cpu_load{hostname=~"("}
`
  .trim()
  .split(/\n(?! {2}|\))/);
