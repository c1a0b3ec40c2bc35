export declare function writeModules(directory: string): void;
