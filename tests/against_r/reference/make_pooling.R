# mice's pooling of its own imputed tables of nhanes and nhanes2, to 17 digits.
# Rscript make_pooling.R FOLDER > pooling.json     FOLDER holds mice_nhanes_m5_long.csv and mice_nhanes2_m20_long.csv
suppressMessages(library(mice))
folder <- commandArgs(TRUE)[1]
number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")
fields <- function(x) paste(sprintf('"%s": %s', names(x), number(unlist(x))), collapse = ", ")
tables <- function(file) { long <- read.csv(file.path(folder, file), stringsAsFactors = TRUE); split(long, long$.imp) }
mira <- function(fits) { for (k in seq_along(fits)) fits[[k]]$call <- fits[[1]]$call; as.mira(fits) }
rows <- function(fits) {
  p <- pool(mira(fits)); s <- summary(p, conf.int = TRUE)
  columns <- c("estimate", "ubar", "b", "t", "df", "riv", "lambda", "fmi")
  paste(sapply(seq_len(nrow(s)), function(i) sprintf('"%s": {%s, %s}', s$term[i], fields(p$pooled[i, columns]),
    fields(setNames(s[i, c("std.error", "statistic", "p.value", "2.5 %", "97.5 %")],
                    c("std_error", "statistic", "p_value", "low", "high"))))), collapse = ",\n ")
}
test <- function(d) fields(setNames(d$result[1, ], c("statistic", "df", "df_denominator", "p_value", "riv"))[1:5])
one <- tables("mice_nhanes_m5_long.csv"); two <- tables("mice_nhanes2_m20_long.csv")
full <- lapply(two, function(d) lm(chl ~ age + bmi, d)); less <- lapply(two, function(d) lm(chl ~ bmi, d))
logit <- suppressWarnings(lapply(two, function(d) glm(hyp ~ age + bmi, binomial, d, epsilon = 1e-14, maxit = 100)))
cat(sprintf('{"R": "%s", "mice": "%s",\n"linear": {%s},\n"logistic": {%s},\n', getRversion(), packageVersion("mice"),
            rows(lapply(one, function(d) lm(chl ~ age + bmi, d))), rows(logit)))
cat(sprintf('"D1": {%s},\n"D2": {%s}}\n', test(D1(mira(full), mira(less))), test(D2(mira(full), mira(less)))))
